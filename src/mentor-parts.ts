/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import { recordWithBoth } from './classifier/answer-record.ts'
import { LoadedModels } from './classifier/loaded-models.ts'
import { MentorTrainer, modelNameOf } from './classifier/mentor-trainer.ts'
import { QuestionAnswering, parseModelKey } from './classifier/question-answering.ts'
import { SqliteAnswerRecorder } from './classifier/sqlite-answer-recorder.ts'
import { SqliteModelStore } from './classifier/sqlite-model-store.ts'
import type { Config } from './config.ts'
import { EmbeddingCache } from './embedding/embedding-cache.ts'
import type { Encoder } from './embedding/encoder.ts'
import { openGraphQlParts } from './graphql-parts.ts'
import type { JobBackend } from './jobs/job-backend.ts'
import type { JobHandler, JobLog } from './jobs/job-runner.ts'
import { SqliteMentorStore } from './mentor/sqlite-mentor-store.ts'
import type { MentorAreaParts } from './server/app.ts'
import { TRAIN_JOB_TYPE } from './server/routes/train.ts'
import { SqliteFile } from './sqlite-file.ts'
import { trainJob } from './train-job.ts'

/** Mentors of this process: what its routes and its jobs need. */
export interface MentorParts {
  readonly routes: MentorAreaParts
  /** By type of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>
  /** Waits for the fit at work, writes what has gathered and closes the files. */
  close(): Promise<void>
}

/** Opens the mentors in `DATA_DIR`. With `BACKEND=aws` there are none: several machines do not share a folder. */
export function openMentorParts(
  config: Config,
  jobs: JobBackend,
  encoder: Encoder,
  log: JobLog
): MentorParts | undefined {
  if (config.backend !== 'local') return undefined
  const file = new SqliteFile(join(config.dataDir, 'mentors.db'))
  const graphQl = config.mentorSource === 'graphql' ? openGraphQlParts(config, jobs, log) : undefined
  const store = new SqliteMentorStore(file)
  const mentors = graphQl?.mentors ?? store
  const models = new SqliteModelStore({
    file,
    folder: join(config.dataDir, 'models'),
    maxVersions: config.maxModelVersions
  })
  const recorder = new SqliteAnswerRecorder({
    file,
    maxRecords: config.maxAnswerRecords,
    onError: (error) => log.error({ err: error }, 'asked questions could not be recorded')
  })
  const promotionMargin = config.promotionMarginPercent / 100
  const trainer = new MentorTrainer({
    mentors,
    models,
    embeddings: new EmbeddingCache(file, encoder, config.maxCachedEmbeddings),
    encoder,
    ridgeOffTopicThreshold: config.offTopicThreshold,
    promotionMargin
  })
  const answering = new QuestionAnswering({
    mentors,
    models,
    loadedModels: new LoadedModels({
      maxBytes: config.loadedModelsBytes,
      ridgeOffTopicThreshold: config.offTopicThreshold,
      read: (key) => {
        const { name, version } = parseModelKey(key)
        return models.read(name, version)
      }
    }),
    encoder,
    recorder: graphQl === undefined ? recorder : recordWithBoth(graphQl.recorder, recorder),
    maxMentorBytes: config.mentorCacheBytes
  })
  return {
    routes: {
      mentors,
      ...(graphQl === undefined ? { store } : { trainings: graphQl.trainings }),
      models,
      answering,
      jobs,
      promotionMargin,
      mentorBodyLimitBytes: config.mentorBodyLimitBytes,
      async forget(mentorId) {
        recorder.deleteOf(mentorId)
        await models.deleteAll(modelNameOf(mentorId))
      }
    },
    handlers: new Map([[TRAIN_JOB_TYPE, trainJob(trainer, graphQl?.trainings)], ...(graphQl?.handlers ?? [])]),
    async close() {
      await trainer.idle()
      await graphQl?.close()
      recorder.flush()
      file.close()
    }
  }
}
