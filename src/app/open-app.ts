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
import { findNativeFunctions, type NativeFunctions } from '../embedding/native-program.ts'
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

/** The encoder with its lifetime: load the model, be ready, drain. */
export interface Encoding {
  readonly encoder: Encoder
  readonly tokenize: Tokenize
  readonly readiness: Readiness
  /** Loads, checks and warms up the model. Meanwhile the server answers, but is not ready. */
  start(): Promise<void>
  /** Finishes running batches and closes the encoder. */
  close(): Promise<void>
  /** Waiting and running work. */
  load(): EncoderLoad
}

/** Creates the encoder and its lifetime. */
export type CreateEncoding = (config: Config, logger: Logger, observer?: Partial<EncoderObserver>) => Encoding

/** What differs between the processes that serve the app. */
export interface AppOffer {
  /** Bearer keys without restrictions. */
  readonly apiSecretKey: readonly string[]
  /** Bearer keys with scopes. */
  readonly keyRing: KeyRing
  /** Identifies this process among several. */
  readonly containerId: string
  /** Whether this process's `DATA_DIR` outlives it. Otherwise, unless `BACKEND=aws`, there are no routes for jobs, mentors and classifiers. */
  readonly keepsData: boolean
  /** How long the last error reports may take to be sent. */
  readonly reportsDeadlineMs: number
}

/** The app and the parts that its process needs beside it. It does not listen yet, and its model is not loaded. */
export interface ServedApp {
  readonly app: FastifyInstance
  readonly encoding: Encoding
  readonly mentors: MentorArea
  readonly room: RoomWatch
  readonly errors: ErrorReporter
}

/** The model's name in the API. */
const MODEL_ID = 'all-MiniLM-L6-v2'

/**
 * Lowers the limits of large requests to what the memory allows: a body that is read, parsed and stored takes several times
 * its length.
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
 * Opens the app and its dependencies, for a process that listens and for one that gets events. All of it is closed with the
 * process, except the app, which the caller closes before anything that it has added itself.
 */
export async function openApp(
  context: ProcessContext,
  createEncoding: CreateEncoding,
  offer: AppOffer
): Promise<ServedApp> {
  const { log, jobs, metrics, tracing, closing, stopping } = context
  const natives = await findNativeFunctions()
  const memory = watchMemory(context, natives)
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
  const mentors = await openMentors(config, { jobs, encoder, log: logger, observer, natives, line, closing })
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
    // A function answers one event at a time, and does not stream.
    ...(offer.keepsData && { sampler: samplerOf(context) }),
    containerId: offer.containerId,
    tracer: tracing.tracer,
    reportError: (error, request) => errors.report(error, request)
  })
  return { app, encoding, mentors, room, errors }
}

/** Makes each call of the encoder a span, if traces are on. */
export function tracedEncoding(encoding: Encoding, { tracer }: Tracing): Encoding {
  return tracer === undefined ? encoding : { ...encoding, encoder: new TracedEncoder(encoding.encoder) }
}

/** Creates the guard of the process's memory, and starts returning unused memory to the system. */
function watchMemory({ config, closing }: ProcessContext, { trimMemory: trim }: NativeFunctions): MemoryGuard {
  const memoryRelease = new MemoryRelease({ trim })
  closing.defer(() => memoryRelease.stop())
  const memory = new MemoryGuard({
    limitBytes: config.memoryLimitBytes || memoryLimitBytes(),
    guardedShare: config.memoryGuardPercent / 100,
    release: () => memoryRelease.release()
  })
  memoryRelease.start()
  return memory
}

/** Creates the authenticator, from the settings and the keys of the process. */
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
