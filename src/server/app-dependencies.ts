/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyBaseLogger } from 'fastify'
import type { AnswerObserver } from '../answering/answer-observer.ts'
import type { Config } from '../config/settings.ts'
import type { Encoder } from '../embedding/encoder.ts'
import type { Tokenize } from '../embedding/tokenizer.ts'
import type { Tracer } from '../tracing/span.ts'
import type { ModelCatalogue } from '../inference/inference-model.ts'
import type { Authenticator } from './auth.ts'
import type { BodyBudget } from './body-budget.ts'
import type { ConnectionGuard } from './connection-guard.ts'
import type { MemoryGuard } from './memory-guard.ts'
import type { Readiness } from './readiness.ts'
import type { ReplyCache } from './reply-cache.ts'
import type { RequestObserver } from './request-log.ts'
import type { ClassifierRouteOptions } from './routes/classifiers/classifier-requests.ts'
import type { FollowupRouteOptions } from './routes/followups/followup-routes.ts'
import type { JobRouteOptions } from './routes/jobs/enqueue-routes.ts'
import type { MentorRouteOptions } from './routes/mentors/mentor-routes.ts'
import type { ServedEncoder } from './routes/openai/openai-routes.ts'
import type { QuestionRouteOptions } from './routes/questions/question-routes.ts'
import type { ReviewRouteOptions } from './routes/review/review-routes.ts'
import type { TrainRouteOptions } from './routes/train/train-routes.ts'
import type { MentorVersionRouteOptions } from './routes/versions/mentor-version-routes.ts'
import type { ServiceSampler } from './service-sampler.ts'
import type { ReportError } from './send-error.ts'

/** Options of the routes of mentors. */
export type MentorAreaOptions = MentorRouteOptions &
  TrainRouteOptions &
  MentorVersionRouteOptions &
  FollowupRouteOptions &
  Omit<ReviewRouteOptions, 'limits'> &
  Omit<QuestionRouteOptions, 'limits' | 'observeAnswer'>

/** Dependencies of the server. */
export interface AppDependencies {
  readonly config: Pick<
    Config,
    | 'bodiesUnderWayBytes'
    | 'bodyLimitBytes'
    | 'corsOrigin'
    | 'encodeMaxAgeSeconds'
    | 'maxCallerPercent'
    | 'maxConnections'
    | 'maxJsonDepth'
    | 'maxPipelinedRequests'
    | 'maxSentences'
    | 'maxTextCharacters'
    | 'requestTimeoutSeconds'
    | 'unreadRepliesBytes'
    | 'unreadReplySeconds'
  >
  readonly logger: FastifyBaseLogger
  readonly authenticate: Authenticator
  readonly readiness: Readiness
  readonly encoder: Encoder
  readonly tokenize: Tokenize
  readonly model: ServedEncoder
  /** All models, for the Open Inference Protocol. */
  readonly inferenceModels: ModelCatalogue
  readonly replyCache: ReplyCache
  /** Work for later; without it there are no such routes. */
  readonly jobs?: JobRouteOptions
  /** Mentors and their questions; without them there are no such routes. */
  readonly mentors?: MentorAreaOptions
  /** Models trained from tables; without them there are no such routes. */
  readonly classifiers?: ClassifierRouteOptions
  /** Identifies this container among several. */
  readonly containerId: string
  /** Limits the bytes of bodies in progress. @default made from the settings */
  readonly bodies?: BodyBudget
  /** Limits pipelined requests and unread replies of connections. @default made from the settings */
  readonly connections?: ConnectionGuard
  /** Refuses work when memory is nearly full. @default nothing is refused */
  readonly memory?: MemoryGuard
  /** Called with every answered request, for metrics. @default none */
  readonly observeRequest?: RequestObserver
  /** Called with every answered question, for metrics. @default none */
  readonly observeAnswer?: AnswerObserver
  readonly reportError: ReportError
  /** Makes a span of each request. @default no spans */
  readonly tracer?: Tracer | undefined
  /** Samples the metrics for `/v1/events`; without it there is no such route. */
  readonly sampler?: ServiceSampler
  /** Folder of the built playground. @default the output of `npm run build-web` */
  readonly playgroundFolder?: string
}
