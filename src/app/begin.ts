/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ConfigError, loadConfig, redactConfig, type Environment } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'
import { openJobBackend } from './jobs.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import { readPopCulture } from '../followup/pop-culture-file.ts'
import { judgeNodeVersion } from './node-version.ts'
import { createServiceLog, type ServiceLog } from '../server/request-log.ts'
import packageJson from '../../package.json' with { type: 'json' }

/** What every process of the product begins with. */
export interface Beginning {
  readonly config: Config
  readonly log: ServiceLog
  readonly jobs: JobBackend
}

/**
 * Checks Node.js, reads the settings, opens the log and the store of jobs, and logs that the process starts.
 * @param what what starts, for the log
 * @param isPublic whether others than this machine will reach it: they may use what a Node.js is known to lack
 * @returns nothing when that failed: it was said in plain lines on standard error, and the process will end with status 1
 */
export async function begin(
  env: Environment,
  what: string,
  isPublic: (config: Config) => boolean = () => true
): Promise<Beginning | undefined> {
  // Before any thread loads onnxruntime, which else reports its use to its maker; other threads see this process's environment.
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const version = judgeNodeVersion(process.versions.node)
  if (version.outcome === 'too old') return giveUp(version.message)
  const config = readConfig(env)
  if (config === undefined) return undefined
  const log = createServiceLog(config.logLevel)
  process.once('exit', log.flush)
  const { logger } = log
  logger.info({ config: redactConfig(config), node: process.versions.node, version: packageJson.version }, what)
  if (version.outcome === 'vulnerable' && isPublic(config)) logger.warn(version.message)
  try {
    return { config, log, jobs: await openJobBackend(config) }
  } catch (error) {
    return giveUp(`Cannot open the store of jobs: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Says why the process cannot go on; it ends with status 1 when nothing keeps it. */
export function giveUp(message: string): undefined {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}

function readConfig(env: Environment): Config | undefined {
  try {
    const config = loadConfig(env)
    // Whether the file that it names can be read belongs to a setting's being right.
    readPopCulture(config.popCultureFile)
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return giveUp(error.message)
  }
}
