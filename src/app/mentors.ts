/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { recordWithBoth } from '../answering/answer-record.ts'
import { TRAIN_JOB_TYPE } from '../answering/mentor-trainer.ts'
import { QuestionAnswering } from '../answering/question-answering.ts'
import type { Config } from '../config/settings.ts'
import { EmbeddingCache } from '../embedding/embedding-cache.ts'
import type { Encoder } from '../embedding/encoder.ts'
import { findNativeFunctions, type NativeFunctions } from '../embedding/native-program.ts'
import { ThreadedEntityFinder } from '../followup/entity-finder.ts'
import { FollowupSuggester } from '../followup/followup-suggester.ts'
import { readPopCulture } from '../followup/pop-culture-file.ts'
import type { ModelCatalogue } from '../inference/inference-model.ts'
import { storedModelsCatalogue } from '../inference/stored-models.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import type { JobHandler, JobLog } from '../jobs/job-runner.ts'
import type { EmbeddingProducts } from '../learning/embedding-products.ts'
import { TopicAnswers } from '../mentor/category-answers.ts'
import { GradedMentors } from '../mentor/graded-questions.ts'
import { createUploadReader } from '../mentor/read-upload.ts'
import { ReadingLine, readingLimitsOf } from '../reading/reading-line.ts'
import { ReviewQueue } from '../review/review-queue.ts'
import type { MentorAreaOptions } from '../server/app-dependencies.ts'
import type { ClassifierRouteOptions } from '../server/routes/classifiers/classifier-requests.ts'
import { LoadedModels, parseModelKey } from '../versions/loaded-models.ts'
import { mentorModelName } from '../versions/model-name.ts'
import type { PredictionObserver } from '../versions/prediction-observer.ts'
import { VersionTrainer } from '../versions/version-trainer.ts'
import { createClassifiers } from './classifiers.ts'
import { openGraphQl, type GraphQlArea } from './graphql.ts'
import { openMentorsFile, openStores, type Stores } from './stores.ts'
import { trainJob } from './train-mentor-job.ts'
import type { ModelStore } from '../versions/model-store.ts'

/** Mentors of this process: options of their routes, and handlers of their jobs. */
export interface MentorArea {
  readonly routes: MentorAreaOptions
  /** Classifiers, which share stores and training with the mentors. */
  readonly classifiers: ClassifierRouteOptions
  /** Models of both, for the Open Inference Protocol. */
  readonly inferenceModels: ModelCatalogue
  /** Trains versions of both. */
  readonly trainer: VersionTrainer
  /** By type of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>
}

/** Dependencies of mentors on their process. */
export interface MentorDependencies {
  readonly jobs: JobBackend
  readonly encoder: Encoder
  readonly log: JobLog
  /** Observes predictions. */
  readonly observer?: PredictionObserver
  /** Functions of the native program. @default those that are found */
  readonly natives?: NativeFunctions
  /** Queue of large bodies to read. @default a new one */
  readonly line?: ReadingLine
  /** Waits for a running training, writes buffered answers and closes the files. */
  readonly closing: AsyncDisposableStack
}

/**
 * Opens the mentors, in `DATA_DIR` or on AWS. Embeddings are cached in `DATA_DIR` in either case, since each machine can
 * compute its own.
 * @throws {ConfigError} when a file that a setting names cannot be read
 */
export async function openMentors(config: Config, dependencies: MentorDependencies): Promise<MentorArea> {
  const { jobs, encoder, log, observer, closing, line = new ReadingLine(readingLimitsOf(config)) } = dependencies
  const popCulture = readPopCulture(config.popCultureFile)
  const file = closing.adopt(openMentorsFile(config), (opened) => opened.close())
  const stores = await openStores(config, file, (error) => {
    log.error({ err: error }, 'asked questions could not be recorded yet')
  })
  closing.defer(() => stores.close())
  closing.defer(() => stores.recorder.flush())
  const graphQl = config.mentorSource === 'graphql' ? openGraphQl(config, jobs, log) : undefined
  closing.defer(() => graphQl?.close())
  const embeddings = new EmbeddingCache(file, encoder, config.maxCachedEmbeddings)
  const { products } = dependencies.natives ?? (await findNativeFunctions())
  const training = createTraining(config, { models: stores.models, embeddings, encoder, products })
  closing.defer(() => training.trainer.idle())
  const classifiers = createClassifiers(config, { ...training, encoder, jobs, observer, line, closing })
  const mentors = new GradedMentors(graphQl?.mentors ?? stores.mentors, stores.review.grades)
  const entities = closing.adopt(new ThreadedEntityFinder(), (finder) => finder.close())
  const followups = new FollowupSuggester({
    mentors,
    categories: graphQl?.categories ?? new TopicAnswers(stores.mentors),
    entities,
    embeddings,
    encoder,
    popCulture,
    isSemanticDedup: config.semanticDedup
  })
  const answering = new QuestionAnswering({
    mentors,
    ...training,
    encoder,
    recorder: graphQl === undefined ? stores.recorder : recordWithBoth(graphQl.recorder, stores.recorder),
    ...(observer !== undefined && { observer }),
    maxMentorBytes: config.mentorCacheBytes
  })
  const shared = { jobs, encoder, line, embeddings, mentors, followups, answering }
  return {
    routes: createMentorRoutes(config, stores, graphQl, shared),
    classifiers: classifiers.routes,
    trainer: training.trainer,
    inferenceModels: storedModelsCatalogue({
      models: stores.models,
      classifiers: classifiers.routes.classifiers,
      limits: config
    }),
    handlers: new Map([
      [TRAIN_JOB_TYPE, trainJob(training.trainer, mentors, graphQl?.trainings)],
      ...classifiers.handlers,
      ...(graphQl?.handlers ?? [])
    ])
  }
}

/** Dependencies of training. */
interface TrainingDependencies {
  readonly models: ModelStore
  readonly embeddings: EmbeddingCache
  readonly encoder: Encoder
  /** @default products in JavaScript */
  readonly products: EmbeddingProducts | undefined
}

/** Creates the trainer of models and the cache of loaded ones. */
function createTraining(config: Config, { models, embeddings, encoder, products }: TrainingDependencies) {
  const ridgeOffTopicThreshold = config.offTopicThreshold
  const promotionMargin = config.promotionMarginPercent / 100
  return {
    models,
    trainer: new VersionTrainer({ models, embeddings, encoder, ridgeOffTopicThreshold, promotionMargin }),
    loadedModels: new LoadedModels({
      maxBytes: config.loadedModelsBytes,
      ridgeOffTopicThreshold,
      ...(products && { products }),
      read: (key) => {
        const { name, version } = parseModelKey(key)
        return models.read(name, version)
      }
    })
  }
}

/** Dependencies of mentor routes that other areas use too. */
interface SharedByRoutes {
  readonly jobs: JobBackend
  readonly encoder: Encoder
  readonly line: ReadingLine
  readonly embeddings: EmbeddingCache
  readonly mentors: GradedMentors
  readonly followups: FollowupSuggester
  readonly answering: QuestionAnswering
}

function createMentorRoutes(
  config: Config,
  stores: Stores,
  graphQl: GraphQlArea | undefined,
  { jobs, encoder, line, embeddings, mentors, followups, answering }: SharedByRoutes
): MentorAreaOptions {
  const { mentors: store, models, recorder, review } = stores
  const readUpload = createUploadReader(line, config)
  const kept = graphQl === undefined ? { store } : {}
  return {
    mentors: graphQl?.mentors ?? store,
    reviews: new ReviewQueue({ ...review, mentors, ...kept, readUpload, answering, embeddings }),
    ...(graphQl === undefined ? kept : { trainings: graphQl.trainings }),
    followups,
    models,
    answering,
    jobs,
    encoder,
    promotionMargin: config.promotionMarginPercent / 100,
    readUpload,
    mentorBodyLimitBytes: config.mentorBodyLimitBytes,
    async forget(mentorId) {
      await recorder.deleteOf(mentorId)
      await review.grades.deleteOf(mentorId)
      await models.deleteAll(mentorModelName(mentorId))
    }
  }
}
