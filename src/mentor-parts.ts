/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { LoadedModels } from './classifier/loaded-models.ts'
import { MentorTrainer, modelNameOf } from './classifier/mentor-trainer.ts'
import { QuestionAnswering, parseModelKey } from './classifier/question-answering.ts'
import { SqliteAnswerRecorder } from './classifier/sqlite-answer-recorder.ts'
import { SqliteModelStore } from './classifier/sqlite-model-store.ts'
import { FollowupSuggester } from './followup/followup-suggester.ts'
import { ThreadedEntityFinder } from './followup/entity-finder.ts'
import type { Config } from './config.ts'
import { EmbeddingCache } from './embedding/embedding-cache.ts'
import type { Encoder } from './embedding/encoder.ts'
import { PermanentJobError } from './jobs/job.ts'
import type { JobBackend } from './jobs/job-backend.ts'
import type { JobHandler, JobLog } from './jobs/job-runner.ts'
import { packPayload, unpackPayload } from './jobs/payload.ts'
import { TopicAnswers } from './mentor/category-answers.ts'
import { SqliteMentorStore } from './mentor/sqlite-mentor-store.ts'
import { readPopCulture } from './pop-culture-file.ts'
import type { MentorAreaParts } from './server/app.ts'
import { TRAIN_JOB_TYPE } from './server/routes/train.ts'
import { SqliteFile } from './sqlite-file.ts'

/** Mentors of this process: what its routes and its jobs need. */
export interface MentorParts {
  readonly routes: MentorAreaParts
  /** By type of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>
  /** Waits for the fit at work, writes what has gathered and closes the files. */
  close(): Promise<void>
}

/**
 * Opens the mentors in `DATA_DIR`. With `BACKEND=aws` there are none: several machines do not share a folder.
 * @throws {ConfigError} when a file that a setting names cannot be read
 */
export function openMentorParts(
  config: Config,
  jobs: JobBackend,
  encoder: Encoder,
  log: JobLog
): MentorParts | undefined {
  if (config.backend !== 'local') return undefined
  const popCulture = readPopCulture(config.popCultureFile)
  const file = new SqliteFile(join(config.dataDir, 'mentors.db'))
  const mentors = new SqliteMentorStore(file)
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
  const embeddings = new EmbeddingCache(file, encoder, config.maxCachedEmbeddings)
  const trainer = new MentorTrainer({
    mentors,
    models,
    embeddings,
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
    recorder,
    maxMentorBytes: config.mentorCacheBytes
  })
  const entities = new ThreadedEntityFinder()
  const followups = new FollowupSuggester({
    mentors,
    categories: new TopicAnswers(mentors),
    entities,
    embeddings,
    encoder,
    popCulture,
    isSemanticDedup: config.semanticDedup === 'true'
  })
  return {
    routes: {
      mentors,
      followups,
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
    handlers: new Map([[TRAIN_JOB_TYPE, trainJob(trainer)]]),
    async close() {
      await entities.close()
      await trainer.idle()
      recorder.flush()
      file.close()
    }
  }
}

const trainInput = Compile(
  Type.Object({ mentor: Type.String(), arch: Type.Enum(['softmax', 'ridge']), force: Type.Boolean() })
)

/** Trains a mentor; the result is a `TrainOutcome`. */
function trainJob(trainer: MentorTrainer): JobHandler {
  return async (payload, context) => {
    const input = unpackPayload(payload)
    if (!trainInput.Check(input)) throw new PermanentJobError('Cannot train: the job is not a training')
    const { mentor: mentorId, arch: architecture, force: isForced } = input
    const request = { mentorId, architecture, isForced, jobId: context.job.id, by: context.job.owner }
    return packPayload(
      await trainer.train(request, {
        signal: context.signal,
        onProgress: (share) => context.progress(share)
      })
    )
  }
}
