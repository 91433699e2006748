/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Beginning } from './begin.ts'
import type { Config } from '../config/settings.ts'
import type { Encoder } from '../embedding/encoder.ts'
import type { EncoderLoad, EncoderObserver } from '../embedding/local-encoder.ts'
import { encoderCatalogue } from '../inference/encoder-model.ts'
import { joinCatalogues } from '../inference/inference-model.ts'
import { jobRouteOptions } from './jobs.ts'
import { memoryLimitBytes } from '../server/memory-limit.ts'
import { RoomWatch } from '../jobs/room-watch.ts'
import { openMentors, type MentorArea } from './mentors.ts'
import { ReadingLine, readingLimitsOf } from '../reading/reading-line.ts'
import { buildApp } from '../server/app.ts'
import { bodyBudgetOf } from '../server/body-budget.ts'
import { connectionGuardOf } from '../server/connection-guard.ts'
import { MemoryGuard } from '../server/memory-guard.ts'
import { createAuthenticator } from '../server/auth.ts'
import { createMetrics, type Metrics } from '../server/metrics.ts'
import { ObservedEncoder } from '../server/observed-encoder.ts'
import { ReplyCache } from '../server/reply-cache.ts'
import type { Readiness } from '../server/readiness.ts'
import type { Tokenize } from '../embedding/tokenizer.ts'
import { createErrorReporter, type ErrorReporter } from '../server/sentry.ts'
import packageJson from '../../package.json' with { type: 'json' }

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

/** How a process offers the app. */
export interface AppOffer {
  /** Bearer keys. */
  readonly apiSecretKey: readonly string[]
  /** Which of several processes this is. */
  readonly containerId: string
  /** Whether the process has been told to end. */
  readonly isStopping: () => boolean
  /** Whether what is stored and queued in this process's `DATA_DIR` outlives it: without that, nothing of the kind is offered. */
  readonly keepsData: boolean
}

/** The app, and what it is made of. It does not listen, and its model is not loaded. */
export interface ServedApp {
  readonly app: FastifyInstance
  readonly encoding: Encoding
  readonly metrics: Metrics
  readonly mentors: MentorArea
  readonly room: RoomWatch
  readonly errors: ErrorReporter
}

/** The model's name to callers. */
const MODEL_ID = 'all-MiniLM-L6-v2'

/** What large requests may hold, as much of the settings as the memory there is allows. */
function fitToMemory(config: Config, limitBytes: number): Config {
  return {
    ...config,
    bodiesUnderWayBytes: Math.min(config.bodiesUnderWayBytes, limitBytes / 8),
    unreadRepliesBytes: Math.min(config.unreadRepliesBytes, limitBytes / 8),
    readingMemoryBytes: Math.min(config.readingMemoryBytes, limitBytes / 4)
  }
}

/** Opens all that requests are answered with: for a process that listens, and for one that is called by events. */
export async function openApp(
  beginning: Beginning,
  createEncoding: CreateEncoding,
  offer: AppOffer
): Promise<ServedApp> {
  const { log, jobs } = beginning
  const memory = new MemoryGuard({
    limitBytes: beginning.config.memoryLimitBytes || memoryLimitBytes(),
    guardedShare: beginning.config.memoryGuardPercent / 100
  })
  const config = fitToMemory(beginning.config, memory.limitBytes)
  const { logger } = log
  const errors = await createErrorReporter({ ...config, release: `${packageJson.name}@${packageJson.version}` })
  const metrics = createMetrics()
  const { observeRequest, observeAnswer, observeInput } = metrics.addRequests()
  const encoding = createEncoding(config, logger, metrics.encoderObserver)
  const encoder = new ObservedEncoder(encoding.encoder, observeInput)
  const offersStored = offer.keepsData || config.backend === 'aws'
  const line = new ReadingLine(readingLimitsOf(config))
  const mentors = await openMentors(config, jobs, encoder, logger, metrics.predictionObserver, line)
  const room = new RoomWatch(jobs, logger)
  metrics.addJobRoom(() => room.latest)
  const bodies = bodyBudgetOf(config)
  const connections = connectionGuardOf(config)
  metrics.addLimits({ bodies, connections, memory, line })
  const replyCache = new ReplyCache(config.replyCacheBytes)
  metrics.addEncoderLoad(() => encoding.load())
  metrics.addReplyCache(() => replyCache.counts)
  const app = await buildApp({
    config,
    logger,
    authenticate: createAuthenticator({ apiSecretKey: offer.apiSecretKey, jwtSecretKey: config.jwtSecretKey }),
    readiness: {
      isReady: () => !offer.isStopping() && memory.pressure !== 'extreme' && encoding.readiness.isReady(),
      reasons: () => {
        if (offer.isStopping()) return ['the service is stopping']
        return encoding.readiness.isReady() ? memory.notes() : encoding.readiness.reasons()
      },
      notes: () => [...room.notes(), ...memory.notes()]
    },
    encoder,
    tokenize: encoding.tokenize,
    inferenceModels: joinCatalogues([
      encoderCatalogue(MODEL_ID, encoder, config),
      ...(offersStored ? [mentors.inferenceModels] : [])
    ]),
    model: { id: MODEL_ID, createdSeconds: Math.floor(Date.now() / 1000) },
    replyCache,
    memory,
    bodies,
    connections,
    observeRequest,
    observeAnswer,
    ...(offersStored && {
      jobs: jobRouteOptions(config, jobs, line),
      mentors: mentors.routes,
      classifiers: mentors.classifiers
    }),
    containerId: offer.containerId,
    reportError: (error, context) => {
      errors.report(error, context)
    }
  })
  return { app, encoding, metrics, mentors, room, errors }
}
