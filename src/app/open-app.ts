/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import packageJson from '../../package.json' with { type: 'json' }
import type { Config } from '../config/settings.ts'
import type { Encoder } from '../embedding/encoder.ts'
import type { EncoderLoad, EncoderObserver } from '../embedding/local-encoder.ts'
import { findMemoryTrim } from '../embedding/native-program.ts'
import type { Tokenize } from '../embedding/tokenizer.ts'
import { TracedEncoder } from '../embedding/traced-encoder.ts'
import { encoderCatalogue } from '../inference/encoder-model.ts'
import { joinCatalogues } from '../inference/inference-model.ts'
import { RoomWatch } from '../jobs/room-watch.ts'
import { ReadingLine, readingLimitsOf } from '../reading/reading-line.ts'
import { buildApp } from '../server/app.ts'
import { createAuthenticator, type Authenticator } from '../server/auth.ts'
import { bodyBudgetOf } from '../server/body-budget.ts'
import type { KeyRing } from '../server/callers/key-ring.ts'
import { connectionGuardOf } from '../server/connection-guard.ts'
import { MemoryGuard } from '../server/memory-guard.ts'
import { memoryLimitBytes } from '../server/memory-limit.ts'
import { MemoryRelease } from '../server/memory-release.ts'
import { ObservedEncoder } from '../server/observed-encoder.ts'
import type { Readiness } from '../server/readiness.ts'
import { ReplyCache } from '../server/reply-cache.ts'
import { ServiceSampler } from '../server/service-sampler.ts'
import { createErrorReporter, type ErrorReporter } from '../server/sentry.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { jobRouteOptions } from './jobs.ts'
import { openMentors, type MentorArea } from './mentors.ts'
import type { ProcessContext } from './open-process.ts'

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
  /** Bearer keys that may do everything. */
  readonly apiSecretKey: readonly string[]
  /** Bearer keys with scopes. */
  readonly keyRing: KeyRing
  /** Which of several processes this is. */
  readonly containerId: string
  /** Whether what is stored and queued in this process's `DATA_DIR` outlives it: without that, nothing of the kind is offered. */
  readonly keepsData: boolean
  /** How long the last error reports may take to be sent. */
  readonly reportsDeadlineMs: number
}

/** The app, and what its process needs beside it. It does not listen, and its model is not loaded. */
export interface ServedApp {
  readonly app: FastifyInstance
  readonly encoding: Encoding
  readonly mentors: MentorArea
  readonly room: RoomWatch
  readonly errors: ErrorReporter
}

/** The model's name to callers. */
const MODEL_ID = 'all-MiniLM-L6-v2'

/**
 * What large requests may hold, as much of the settings as the memory there is allows. While a body is read, parsed and
 * stored it takes some times its length.
 */
function fitToMemory(config: Config, limitBytes: number): Config {
  const bodyBytes = Math.floor(limitBytes / 16)
  return {
    ...config,
    jobsBodyLimitBytes: Math.min(config.jobsBodyLimitBytes, bodyBytes),
    mentorBodyLimitBytes: Math.min(config.mentorBodyLimitBytes, bodyBytes),
    classifierBodyLimitBytes: Math.min(config.classifierBodyLimitBytes, bodyBytes),
    bodiesUnderWayBytes: Math.min(config.bodiesUnderWayBytes, limitBytes / 8),
    unreadRepliesBytes: Math.min(config.unreadRepliesBytes, limitBytes / 8),
    readingMemoryBytes: Math.min(config.readingMemoryBytes, limitBytes / 4)
  }
}

/**
 * Opens all that requests are answered with: for a process that listens, and for one that is called by events. All of
 * it is closed with the process, but for the app, which the caller closes before anything that it has added itself.
 */
export async function openApp(
  context: ProcessContext,
  createEncoding: CreateEncoding,
  offer: AppOffer
): Promise<ServedApp> {
  const { log, jobs, metrics, tracing, closing, stopping } = context
  const memory = await watchMemory(context)
  const config = fitToMemory(context.config, memory.limitBytes)
  const { logger } = log
  const errors = await createErrorReporter({ ...config, release: `${packageJson.name}@${packageJson.version}` })
  closing.defer(() => errors.close(offer.reportsDeadlineMs))
  const { observeRequest, observeAnswer, observeInput } = metrics.addRequests()
  const encoding = tracedEncoding(createEncoding(config, logger, metrics.encoderObserver), tracing)
  closing.defer(() => encoding.close())
  const encoder = new ObservedEncoder(encoding.encoder, observeInput)
  const offersStored = offer.keepsData || config.backend === 'aws'
  const line = new ReadingLine(readingLimitsOf(config))
  const observer = metrics.predictionObserver
  const mentors = await openMentors(config, { jobs, encoder, log: logger, observer, line, closing })
  const room = new RoomWatch(jobs, logger)
  closing.defer(() => room.stop())
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
    authenticate: authenticatorOf(config, offer),
    readiness: readinessOf(encoding.readiness, { stopping, memory, room }),
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
    // A function answers one event at a time, and never streams.
    ...(offer.keepsData && { sampler: samplerOf(context) }),
    containerId: offer.containerId,
    tracer: tracing.tracer,
    reportError: (error, request) => errors.report(error, request)
  })
  return { app, encoding, mentors, room, errors }
}

/** The encoding part, with each call of the encoder a span where traces are wanted. */
export function tracedEncoding(encoding: Encoding, { tracer }: Tracing): Encoding {
  return tracer === undefined ? encoding : { ...encoding, encoder: new TracedEncoder(encoding.encoder) }
}

/** Guards the memory of the process, and gives back what it no longer needs. */
async function watchMemory({ config, closing }: ProcessContext): Promise<MemoryGuard> {
  const memoryRelease = new MemoryRelease({ trim: await findMemoryTrim() })
  closing.defer(() => memoryRelease.stop())
  const memory = new MemoryGuard({
    limitBytes: config.memoryLimitBytes || memoryLimitBytes(),
    guardedShare: config.memoryGuardPercent / 100,
    release: () => memoryRelease.release()
  })
  memoryRelease.start()
  return memory
}

/** Knows callers by the keys and secrets of the settings, or by those that the process offers. */
function authenticatorOf(config: Config, { apiSecretKey, keyRing }: AppOffer): Authenticator {
  return createAuthenticator({
    apiSecretKey,
    jwtSecretKey: config.jwtSecretKey,
    ...(config.apiKeysFile !== undefined && { keyRing })
  })
}

function samplerOf({ metrics, log }: ProcessContext): ServiceSampler {
  return new ServiceSampler({
    read: (names) => metrics.readSome(names),
    onFault: (error) => log.logger.error({ err: error }, 'the metrics could not be sampled')
  })
}

/** Ready while the model is loaded, there is memory, and the process has not been told to end. */
function readinessOf(
  model: Readiness,
  process: { readonly stopping: AbortSignal; readonly memory: MemoryGuard; readonly room: RoomWatch }
): Readiness {
  const { stopping, memory, room } = process
  return {
    isReady: () => !stopping.aborted && memory.pressure !== 'extreme' && model.isReady(),
    reasons: () => {
      if (stopping.aborted) return ['the service is stopping']
      return model.isReady() ? memory.notes() : model.reasons()
    },
    notes: () => [...room.notes(), ...memory.notes()]
  }
}
