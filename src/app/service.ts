/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { isLoopback, type Environment } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'
import { BacklogReporter } from '../jobs/backlog-reporter.ts'
import { createMetricsServer } from '../server/metrics.ts'
import { NOTHING } from '../server/request-log.ts'
import { openKeyRing } from './api-keys.ts'
import { firstScreen } from './first-screen.ts'
import { createJobRunner } from './jobs.ts'
import { closeServer, listen, listenWith } from './listen.ts'
import { openApp, type CreateEncoding } from './open-app.ts'
import { openOrGiveUp, openProcess, type ProcessContext, type ProcessKind } from './open-process.ts'

const SERVICE: ProcessKind = {
  name: 'service',
  starting: 'starting',
  unfinished: 'requests were still in progress',
  isPublic: ({ host }) => !isLoopback(host)
}

/** A secret, or the first or last of a list, in quotes. Files of settings that no shell reads, as of Docker, keep them. */
const QUOTED = /^["']|["']$/

/** How long the last error reports may take to be sent. */
const REPORTS_DEADLINE_MS = 2000

/**
 * Runs the service until a signal ends it: reads the settings, listens, loads the model, drains.
 * When it cannot start, it writes the reason to standard error and ends the process with status 1. When the model cannot be
 * loaded, it logs that, and goes on answering without being ready.
 */
export async function runService(env: Environment, createEncoding: CreateEncoding): Promise<void> {
  const context = await openProcess(env, SERVICE)
  if (context === undefined) return
  const { config, log, terminal, metrics, emfReporter, jobs, closing } = context
  const { logger } = log
  warnOfSecrets(config, logger)

  const keyRing = await openKeyRing(context)
  if (keyRing === undefined) return context.close()
  const madeKey = hasNoSecrets(config) ? randomBytes(24).toString('base64url') : undefined
  const apiSecretKey = madeKey === undefined ? config.apiSecretKey : [madeKey]
  const containerId = containerIdOf(env)
  const options = { apiSecretKey, keyRing, containerId, keepsData: true, reportsDeadlineMs: REPORTS_DEADLINE_MS }
  const opened = await openOrGiveUp(context, () => openApp(context, createEncoding, options))
  if (opened === undefined) return
  const { app, encoding, mentors, room, errors } = opened
  const backlogReporter = new BacklogReporter({ backend: jobs, workerId: randomUUID(), log: logger })
  closing.defer(() => backlogReporter.stop())
  const jobRunner = createJobRunner(config, jobs, encoding.encoder, logger, mentors.handlers, context.tracing.tracer)
  closing.defer(() => jobRunner.stop())
  if (config.jobsConcurrency > 0) {
    metrics.addJobs({ counts: () => jobRunner.counts, backlog: () => backlogReporter.latest })
  }
  const metricsServer = closing.adopt(createMetricsServer(metrics), closeServer)
  // Closed first: no new requests are accepted, and those in progress still have all that they need.
  closing.defer(() => app.close())
  const { host, port } = config
  const listens = await listen({ host, port }, (address) =>
    app.listen({ ...address, listenTextResolver: () => NOTHING })
  )
  if (!listens) return context.close()
  logger.info({ address: app.listeningOrigin }, 'listening')
  const metricsAddress = { host: config.metricsHost, port: config.metricsPort }
  if (config.metricsPort > 0 && !(await listenWith(metricsServer, metricsAddress))) return context.close()
  emfReporter?.start()
  room.start()
  context.closeOnSignal((error) => errors.report(error))

  terminal?.startProgress('Loading the model')
  try {
    await encoding.start()
  } catch (error) {
    terminal?.endProgress()
    // Health still answers and readiness gives the reason; replacing the process is left to the operator.
    logger.fatal({ err: error }, 'the model could not be loaded')
    errors.report(error)
    return
  }
  if (config.jobsConcurrency > 0) {
    jobRunner.start()
    backlogReporter.start()
  }
  terminal?.endProgress()
  logger.info({ revision: encoding.encoder.revision }, 'ready')
  greet(context, app.listeningOrigin, madeKey)
}

/** Warns of secrets that are weak, or most likely not what was meant. */
function warnOfSecrets({ apiSecretKey, jwtSecretKey }: Config, logger: ProcessContext['log']['logger']): void {
  if (jwtSecretKey.some((secret) => secret.length < 32)) logger.warn('JWT_SECRET_KEY is weak: under 32 characters')
  for (const [name, secrets] of Object.entries({ API_SECRET_KEY: apiSecretKey, JWT_SECRET_KEY: jwtSecretKey })) {
    if (secrets.some((secret) => QUOTED.test(secret))) logger.warn(`${name} has quotes, which are part of it`)
  }
}

/** Shows the first screen on a terminal; elsewhere writes a generated key to standard error. */
function greet({ config, terminal }: ProcessContext, origin: string, madeKey: string | undefined): void {
  if (terminal !== undefined) terminal.write(firstScreen({ origin, madeKey, config, terminal }))
  else if (madeKey !== undefined) process.stderr.write(curlHint(origin, madeKey))
}

function hasNoSecrets(config: Config): boolean {
  return config.apiSecretKey.length === 0 && config.apiKeysFile === undefined && config.jwtSecretKey.length === 0
}

function curlHint(origin: string, key: string): string {
  return [
    '',
    'No API_SECRET_KEY is set: this run has made a key of its own. Try it:',
    '',
    `  curl -H 'Authorization: Bearer ${key}' '${origin}/v1/encode?query=hello%20world'`,
    '',
    `The API is shown at ${origin}/docs`,
    '\n'
  ].join('\n')
}

/** Id of this container: from the metadata address of Amazon ECS, else the host name, which in Docker is the container's id. */
function containerIdOf(env: Environment): string {
  return env['ECS_CONTAINER_METADATA_URI_V4']?.split('/').findLast((part) => part !== '') ?? hostname()
}
