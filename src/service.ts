/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { begin, giveUp } from './begin.ts'
import type { Config, Environment } from './config.ts'
import type { Encoder } from './embedding/encoder.ts'
import { createJobRunner, jobRouteParts } from './job-parts.ts'
import { openMentorParts } from './mentor-parts.ts'
import type { EncoderLoad, EncoderObserver } from './embedding/local-encoder.ts'
import { buildApp } from './server/app.ts'
import { createAuthenticator } from './server/auth.ts'
import { createMetrics, createMetricsServer } from './server/metrics.ts'
import { ReplyCache } from './server/reply-cache.ts'
import type { Readiness } from './server/routes/health.ts'
import type { Tokenize } from './server/routes/tokenize.ts'
import { createErrorReporter } from './server/sentry.ts'
import packageJson from '../package.json' with { type: 'json' }

/** The part of the service that turns texts into embeddings, from before its model is loaded until it has drained. */
export interface Encoding {
  readonly encoder: Encoder
  readonly tokenize: Tokenize
  readonly readiness: Readiness
  /** Loads, checks and warms the model. The server answers meanwhile, and is not ready. */
  start(): Promise<void>
  /** Finishes what runs. */
  close(): Promise<void>
  /** What waits and what runs now. */
  load(): EncoderLoad
}

/** Makes the encoding part. */
export type CreateEncoding = (config: Config, logger: Logger, observer?: Partial<EncoderObserver>) => Encoding

/** The model's name to callers. */
const MODEL_ID = 'all-MiniLM-L6-v2'

/** How long the last error reports may take to be sent. */
const REPORTS_DEADLINE_MS = 2000

/**
 * Runs the service until a signal ends it: reads the settings, listens, loads the model, drains.
 * Whatever keeps it from starting is said in plain lines on standard error, and ends the process with status 1.
 */
export async function runService(env: Environment, createEncoding: CreateEncoding): Promise<void> {
  const beginning = await begin(env, 'starting')
  if (beginning === undefined) return
  const { config, log, jobs } = beginning
  const { logger } = log
  if (config.jwtSecretKey.some((secret) => secret.length < 32))
    logger.warn('JWT_SECRET_KEY is weak: under 32 characters')

  const madeKey = hasNoSecrets(config) ? randomBytes(24).toString('base64url') : undefined
  const reporter = await createErrorReporter({ ...config, release: `${packageJson.name}@${packageJson.version}` })
  const metrics = createMetrics()
  const encoding = createEncoding(config, logger, metrics.encoderObserver)
  const mentors = await openMentorParts(config, jobs, encoding.encoder, logger)
  const jobRunner = createJobRunner(config, jobs, encoding.encoder, logger, mentors.handlers)
  let isStopping = false
  const readiness: Readiness = {
    isReady: () => !isStopping && encoding.readiness.isReady(),
    reasons: () => (isStopping ? ['the service is stopping'] : encoding.readiness.reasons())
  }
  const replyCache = new ReplyCache(config.replyCacheBytes)
  metrics.addSources({ encoderLoad: () => encoding.load(), replyCache: () => replyCache.counts })
  const app = await buildApp({
    config,
    logger,
    authenticate: createAuthenticator({
      apiSecretKey: madeKey === undefined ? config.apiSecretKey : [madeKey],
      jwtSecretKey: config.jwtSecretKey
    }),
    readiness,
    encoder: encoding.encoder,
    tokenize: encoding.tokenize,
    model: { id: MODEL_ID, createdSeconds: Math.floor(Date.now() / 1000) },
    replyCache,
    observeRequest: metrics.observeRequest,
    jobs: jobRouteParts(config, jobs),
    mentors: mentors.routes,
    classifiers: mentors.classifiers,
    containerId: containerIdOf(env),
    reportError: (error, context) => {
      reporter.report(error, context)
    }
  })
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
        reporter.report(err)
      } else {
        logger.info({ signal }, 'stopping')
      }
      await app.close()
      metricsServer.close()
      metricsServer.closeAllConnections()
      await jobRunner.stop()
      await mentors.close()
      await jobs.close()
      await encoding.close()
      await reporter.close(REPORTS_DEADLINE_MS)
      logger.info('stopped')
      log.flush()
    }
  )

  try {
    await encoding.start()
  } catch (error) {
    // Health answers and readiness says why; whether to replace the process is for who runs it.
    logger.fatal({ err: error }, 'the model could not be loaded')
    reporter.report(error)
    return
  }
  if (config.jobsConcurrency > 0) jobRunner.start()
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
