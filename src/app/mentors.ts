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
import { ThreadedEntityFinder } from '../followup/entity-finder.ts'
import { FollowupSuggester } from '../followup/followup-suggester.ts'
import { readPopCulture } from '../followup/pop-culture-file.ts'
import type { ModelCatalogue } from '../inference/inference-model.ts'
import { storedModelsCatalogue } from '../inference/stored-models.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import type { JobHandler, JobLog } from '../jobs/job-runner.ts'
import { TopicAnswers } from '../mentor/category-answers.ts'
import { GradedMentors } from '../mentor/graded-questions.ts'
import { createUploadReader } from '../mentor/read-upload.ts'
import { ReadingLine, readingLimitsOf } from '../reading/reading-line.ts'
import { ReviewQueue } from '../review/review-queue.ts'
import type { MentorAreaOptions } from '../server/app.ts'
import type { ClassifierRouteOptions } from '../server/routes/classifiers/classifier-requests.ts'
import { LoadedModels, parseModelKey } from '../versions/loaded-models.ts'
import { mentorModelName } from '../versions/model-name.ts'
import type { PredictionObserver } from '../versions/prediction-observer.ts'
import { VersionTrainer } from '../versions/version-trainer.ts'
import { createClassifiers } from './classifiers.ts'
import { openGraphQl } from './graphql.ts'
import { openMentorsFile, openStores } from './stores.ts'
import { trainJob } from './train-mentor-job.ts'

/** Mentors of this process: what its routes and its jobs need. */
export interface MentorArea {
  readonly routes: MentorAreaOptions
  /** Classifiers, whose models are kept and trained beside the mentors'. */
  readonly classifiers: ClassifierRouteOptions
  /** Models of both, for the Open Inference Protocol. */
  readonly inferenceModels: ModelCatalogue
  /** Trains versions of both. */
  readonly trainer: VersionTrainer
  /** By type of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>
}

/** What mentors need of their process. */
export interface MentorDependencies {
  readonly jobs: JobBackend
  readonly encoder: Encoder
  readonly log: JobLog
  /** Told of what is predicted. */
  readonly observer?: PredictionObserver
  /** Where large bodies wait. @default one of their own */
  readonly line?: ReadingLine
  /** Gets what has to be closed: it waits for the fit at work, writes what has gathered and closes the files. */
  readonly closing: AsyncDisposableStack
}

/**
 * Opens the mentors, in `DATA_DIR` or on AWS. Embeddings are remembered in `DATA_DIR` in any case: each machine may
 * make its own anew.
 * @param line where large bodies wait. @default one of its own
 * @throws {ConfigError} when a file that a setting names cannot be read
 */
export async function openMentors(config: Config, dependencies: MentorDependencies): Promise<MentorArea> {
  const { jobs, encoder, log, observer, closing, line = new ReadingLine(readingLimitsOf(config)) } = dependencies
  const popCulture = readPopCulture(config.popCultureFile)
  const file = closing.adopt(openMentorsFile(config), (opened) => opened.close())
  const stores = await openStores(config, file, (error) => {
    log.error({ err: error }, 'asked questions could not be recorded')
  })
  closing.defer(() => stores.close())
  const { mentors: store, models, recorder } = stores
  closing.defer(() => recorder.flush())
  const graphQl = config.mentorSource === 'graphql' ? openGraphQl(config, jobs, log) : undefined
  closing.defer(() => graphQl?.close())
  const source = graphQl?.mentors ?? store
  const mentors = new GradedMentors(source, stores.review.grades)
  const promotionMargin = config.promotionMarginPercent / 100
  const embeddings = new EmbeddingCache(file, encoder, config.maxCachedEmbeddings)
  const trainer = new VersionTrainer({
    models,
    embeddings,
    encoder,
    ridgeOffTopicThreshold: config.offTopicThreshold,
    promotionMargin
  })
  closing.defer(() => trainer.idle())
  const loadedModels = new LoadedModels({
    maxBytes: config.loadedModelsBytes,
    ridgeOffTopicThreshold: config.offTopicThreshold,
    read: (key) => {
      const { name, version } = parseModelKey(key)
      return models.read(name, version)
    }
  })
  const classifiers = createClassifiers(config, {
    models,
    loadedModels,
    trainer,
    encoder,
    jobs,
    observer,
    line,
    closing
  })
  const answering = new QuestionAnswering({
    mentors,
    models,
    loadedModels,
    encoder,
    recorder: graphQl === undefined ? recorder : recordWithBoth(graphQl.recorder, recorder),
    ...(observer !== undefined && { observer }),
    maxMentorBytes: config.mentorCacheBytes
  })
  const entities = closing.adopt(new ThreadedEntityFinder(), (finder) => finder.close())
  const followups = new FollowupSuggester({
    mentors,
    categories: graphQl?.categories ?? new TopicAnswers(store),
    entities,
    embeddings,
    encoder,
    popCulture,
    isSemanticDedup: config.semanticDedup
  })
  const readUpload = createUploadReader(line, config)
  const reviews = new ReviewQueue({
    ...stores.review,
    mentors,
    ...(graphQl === undefined && { store }),
    readUpload,
    answering,
    embeddings
  })
  return {
    routes: {
      mentors: source,
      reviews,
      ...(graphQl === undefined ? { store } : { trainings: graphQl.trainings }),
      followups,
      models,
      answering,
      jobs,
      encoder,
      promotionMargin,
      readUpload,
      mentorBodyLimitBytes: config.mentorBodyLimitBytes,
      async forget(mentorId) {
        await recorder.deleteOf(mentorId)
        await stores.review.grades.deleteOf(mentorId)
        await models.deleteAll(mentorModelName(mentorId))
      }
    },
    classifiers: classifiers.routes,
    trainer,
    inferenceModels: storedModelsCatalogue({ models, classifiers: classifiers.routes.classifiers, limits: config }),
    handlers: new Map([
      [TRAIN_JOB_TYPE, trainJob(trainer, mentors, graphQl?.trainings)],
      ...classifiers.handlers,
      ...(graphQl?.handlers ?? [])
    ])
  }
}
