/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import closeWithGrace from 'close-with-grace'
import packageJson from '../../package.json' with { type: 'json' }
import { ConfigError, loadConfig, redactConfig, type Environment } from '../config/load-config.ts'
import { wantsTraces } from '../config/traces.ts'
import type { Config } from '../config/settings.ts'
import { ServiceError } from '../errors.ts'
import { readPopCulture } from '../followup/pop-culture-file.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import type { EmfReporter, ReportingProcess } from '../server/emf-reporter.ts'
import { createMetrics, type Metrics } from '../server/metrics.ts'
import { createServiceLog, type ServiceLog } from '../server/request-log.ts'
import { createTerminalLog } from '../server/terminal-log.ts'
import { describeOpenFailure, sqliteFaultOf } from '../storage/sqlite-file.ts'
import { openTracing } from '../tracing/open-tracing.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { createEmfReporter } from './emf-reporter.ts'
import { openJobBackend } from './jobs.ts'
import { judgeNodeVersion } from './node-version.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** Parts that every process of the product has. */
export interface ProcessContext {
  readonly config: Config
  readonly log: ServiceLog
  /** The terminal that the log is written to; undefined when the log is lines of JSON. */
  readonly terminal: Terminal | undefined
  readonly metrics: Metrics
  readonly emfReporter: EmfReporter | undefined
  readonly jobs: JobBackend
  readonly tracing: Tracing
  /** Closes what the process has opened, the last first. Code that opens something adds it at once. */
  readonly closing: AsyncDisposableStack
  /** Aborted once the process has been told to end. */
  readonly stopping: AbortSignal
  /**
   * Closes everything when a signal or an uncaught error ends the process, which is killed if that takes longer than
   * `SHUTDOWN_DEADLINE_SECONDS`.
   * @param report called with the error
   */
  closeOnSignal(report?: (error: Error) => void): { readonly uninstall: () => void }
  /** Closes everything, now. */
  close(): Promise<void>
}

/** How long the last traces may take to be sent. */
const TRACES_DEADLINE_MS = 2000

/** Which process this is, and how its log names its start. */
export interface ProcessKind {
  readonly name: ReportingProcess
  readonly starting: string
  /** What the log says was still running at the deadline of a stop. */
  readonly unfinished: string
  /** Whether it may be reached from outside of this machine. @default true */
  readonly isPublic?: (config: Config) => boolean
}

/**
 * Reads the settings and opens log, traces and job backend: the first steps of every process.
 * @returns undefined when the process cannot start: the reason is on standard error, and the exit status is set
 */
export async function openProcess(env: Environment, kind: ProcessKind): Promise<ProcessContext | undefined> {
  // Turns off onnxruntime's telemetry to its vendor, before any thread loads it; threads see this process's environment.
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const version = judgeNodeVersion(process.versions.node)
  if (version.outcome === 'too old') return giveUp(version.message)
  const config = readConfig(env)
  if (config === undefined) return undefined
  const terminal = openTerminal(config.logFormat, process.stdout, env)
  const sampling = {
    level: config.logLevel,
    linesPerSecond: config.logLinesPerSecond,
    isTraced: wantsTraces(config)
  }
  const log = terminal === undefined ? createServiceLog(sampling) : createTerminalLog(config.logLevel, terminal)
  process.once('exit', log.flush)
  const { logger } = log
  logger.info(
    { config: redactConfig(config), node: process.versions.node, version: packageJson.version },
    kind.starting
  )
  if (version.outcome === 'vulnerable' && kind.isPublic?.(config) !== false) logger.warn(version.message)
  let tracing: Tracing
  try {
    tracing = await openTracing(config, {
      serviceName: `sbert-${kind.name}`,
      version: packageJson.version,
      log: logger
    })
  } catch (error) {
    return giveUp(`Cannot send traces: ${error instanceof Error ? error.message : String(error)}`)
  }
  let jobs: JobBackend
  try {
    jobs = await openJobBackend(config)
  } catch (error) {
    return giveUp(`Cannot open the store of jobs: ${describeOpenFailure(error)}`)
  }
  const closing = new AsyncDisposableStack()
  closing.defer(() => tracing.close(TRACES_DEADLINE_MS))
  closing.defer(() => jobs.close())
  closing.defer(() => terminal?.endProgress())
  const metrics = createMetrics()
  metrics.addTraces(() => tracing.counts())
  const emfReporter = createEmfReporter(config, kind.name, metrics, log)
  closing.defer(() => emfReporter?.stop())
  const shutdown = shutdownOf(kind, config, log, closing)
  return { config, log, terminal, metrics, emfReporter, jobs, tracing, closing, ...shutdown }
}

/**
 * Opens more of a process. When its data cannot be opened, writes the reason as one line to standard error and closes the
 * process.
 */
export async function openOrGiveUp<Opened>(
  context: Pick<ProcessContext, 'config' | 'close'>,
  open: () => Promise<Opened>
): Promise<Opened | undefined> {
  try {
    return await open()
  } catch (error) {
    const isOfMachine = error instanceof ServiceError || sqliteFaultOf(error) !== undefined
    if (!isOfMachine || !(error instanceof Error)) throw error
    const isPlain = error instanceof ServiceError
    giveUp(isPlain ? error.message : `Cannot open the data in ${context.config.dataDir}: ${describeOpenFailure(error)}`)
    await context.close()
    return undefined
  }
}

/** Creates the functions that end a process and close its stack. */
function shutdownOf(
  { unfinished }: ProcessKind,
  config: Config,
  log: ServiceLog,
  closing: AsyncDisposableStack
): Pick<ProcessContext, 'stopping' | 'closeOnSignal' | 'close'> {
  const { logger } = log
  const stopping = new AbortController()
  const close = async (): Promise<void> => {
    stopping.abort()
    try {
      await closing.disposeAsync()
      logger.info('stopped')
    } catch (error) {
      logger.error({ err: error }, 'stopped, but not everything could be closed')
    }
    log.flush()
  }
  return {
    stopping: stopping.signal,
    close,
    closeOnSignal: (report) =>
      closeWithGrace(
        {
          delay: config.shutdownDeadlineSeconds * 1000,
          logger: false,
          // With a key file, SIGHUP means to read the keys again, not that a terminal was closed.
          skip: config.apiKeysFile === undefined ? [] : ['SIGHUP'],
          onTimeout() {
            logger.fatal(`${unfinished} at the deadline: killed`)
            log.flush()
            // process.exit() while onnxruntime computes aborts with a core dump; SIGKILL does not.
            process.kill(process.pid, 'SIGKILL')
          }
        },
        async ({ signal, err }) => {
          if (err) {
            logger.fatal({ err }, 'failed: stopping')
            report?.(err)
          } else {
            logger.info({ signal }, 'stopping')
          }
          await close()
        }
      )
  }
}

/** Writes to standard error why the process cannot start, and sets exit status 1. */
export function giveUp(message: string): undefined {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}

function readConfig(env: Environment): Config | undefined {
  try {
    const config = loadConfig(env)
    // A setting is only valid if the file that it names can be read.
    readPopCulture(config.popCultureFile)
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return giveUp(error.message)
  }
}
