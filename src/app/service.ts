/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { openApp, type CreateEncoding } from './open-app.ts'
import { begin, giveUp } from './begin.ts'
import { isLoopback, type Environment } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'
import { createEmfReporter } from './emf-reporter.ts'
import { createJobRunner } from './jobs.ts'
import { BacklogReporter } from '../jobs/backlog-reporter.ts'
import { createMetricsServer } from '../server/metrics.ts'

/** How long the last error reports may take to be sent. */
const REPORTS_DEADLINE_MS = 2000

/**
 * Runs the service until a signal ends it: reads the settings, listens, loads the model, drains.
 * Whatever keeps it from starting is said in plain lines on standard error, and ends the process with status 1.
 */
export async function runService(env: Environment, createEncoding: CreateEncoding): Promise<void> {
  const beginning = await begin(env, 'starting', ({ host }) => !isLoopback(host))
  if (beginning === undefined) return
  const { config, log, jobs } = beginning
  const { logger } = log
  if (config.jwtSecretKey.some((secret) => secret.length < 32))
    logger.warn('JWT_SECRET_KEY is weak: under 32 characters')

  const madeKey = hasNoSecrets(config) ? randomBytes(24).toString('base64url') : undefined
  let isStopping = false
  const { app, encoding, metrics, mentors, room, errors } = await openApp(beginning, createEncoding, {
    apiSecretKey: madeKey === undefined ? config.apiSecretKey : [madeKey],
    containerId: containerIdOf(env),
    isStopping: () => isStopping,
    keepsData: true
  })
  const jobRunner = createJobRunner(config, jobs, encoding.encoder, logger, mentors.handlers)
  const backlogReporter = new BacklogReporter({ backend: jobs, workerId: randomUUID(), log: logger })
  if (config.jobsConcurrency > 0) {
    metrics.addJobs({ counts: () => jobRunner.counts, backlog: () => backlogReporter.latest })
  }
  const emfReporter = createEmfReporter(config, 'service', metrics, log)
  if (!(await listen(app, config))) {
    await mentors.close()
    await jobs.close()
    return
  }
  logger.info({ address: app.listeningOrigin }, 'listening')
  const metricsServer = createMetricsServer(metrics)
  if (config.metricsPort > 0 && !(await listenForMetrics(metricsServer, config))) {
    await app.close()
    await mentors.close()
    await jobs.close()
    return
  }
  emfReporter?.start()
  room.start()

  closeWithGrace(
    {
      delay: config.shutdownDeadlineSeconds * 1000,
      logger: false,
      onTimeout() {
        logger.fatal('requests were still in progress at the deadline: killed')
        log.flush()
        // An exit while onnxruntime computes aborts with a core dump; this just ends.
        process.kill(process.pid, 'SIGKILL')
      }
    },
    async ({ signal, err }) => {
      isStopping = true
      if (err) {
        logger.fatal({ err }, 'failed: stopping')
        errors.report(err)
      } else {
        logger.info({ signal }, 'stopping')
      }
      await app.close()
      metricsServer.close()
      metricsServer.closeAllConnections()
      await jobRunner.stop()
      await backlogReporter.stop()
      await room.stop()
      await mentors.close()
      await jobs.close()
      await encoding.close()
      await errors.close(REPORTS_DEADLINE_MS)
      await emfReporter?.stop()
      logger.info('stopped')
      log.flush()
    }
  )

  try {
    await encoding.start()
  } catch (error) {
    // Health answers and readiness says why; whether to replace the process is for who runs it.
    logger.fatal({ err: error }, 'the model could not be loaded')
    errors.report(error)
    return
  }
  if (config.jobsConcurrency > 0) {
    jobRunner.start()
    backlogReporter.start()
  }
  logger.info({ revision: encoding.encoder.revision }, 'ready')
  if (madeKey !== undefined) process.stderr.write(curlHint(app.listeningOrigin, madeKey))
}

/** Listens; a port in use is one plain line. */
async function listen(app: FastifyInstance, { host, port }: Config): Promise<boolean> {
  try {
    await app.listen({ host, port, listenTextResolver: () => 'bound' })
    return true
  } catch (error) {
    giveUp(cannotListen(host, port, error))
    await app.close()
    return false
  }
}

async function listenForMetrics(server: Server, { metricsHost, metricsPort }: Config): Promise<boolean> {
  try {
    server.listen(metricsPort, metricsHost)
    await once(server, 'listening')
    return true
  } catch (error) {
    giveUp(cannotListen(metricsHost, metricsPort, error))
    return false
  }
}

function cannotListen(host: string, port: number, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return `Cannot listen on ${host} port ${port}: ${code === 'EADDRINUSE' ? 'the port is in use' : code}`
}

function hasNoSecrets(config: Config): boolean {
  return config.apiSecretKey.length === 0 && config.jwtSecretKey.length === 0
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

/** Which container this is: the one of Amazon ECS by its metadata address, else the host's name, which is a container's id. */
function containerIdOf(env: Environment): string {
  return env['ECS_CONTAINER_METADATA_URI_V4']?.split('/').findLast((part) => part !== '') ?? hostname()
}
