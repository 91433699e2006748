/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { AnswerRecordStore, AskedQuestions } from '../answering/answer-record.ts'
import { SqliteAnswerRecorder, addMargins } from '../answering/sqlite-answer-recorder.ts'
import type { Config } from '../config/settings.ts'
import type { GradeStore } from '../mentor/graded-questions.ts'
import type { MentorStore } from '../mentor/mentor-source.ts'
import { SqliteGradeStore } from '../mentor/sqlite-grade-store.ts'
import { SqliteMentorStore, splitMentorTexts } from '../mentor/sqlite-mentor-store.ts'
import { SqliteFile, type Migration } from '../storage/sqlite-file.ts'
import type { ModelStore } from '../versions/model-store.ts'
import { SqliteModelStore } from '../versions/sqlite-model-store.ts'

/** Stores of mentors, models and asked questions, of either backend. */
export interface Stores {
  readonly mentors: MentorStore
  readonly models: ModelStore
  readonly recorder: AnswerRecordStore
  /** Stores of the review queue. */
  readonly review: { readonly asked: AskedQuestions; readonly grades: GradeStore }
  close(): void
}

/** Migrations of files of earlier versions, the oldest first. A released migration never changes. */
const MENTORS_FILE_STEPS: readonly Migration[] = [splitMentorTexts, addMargins]

/** Opens the SQLite file of mentors, and migrates it. */
export function openMentorsFile({ dataDir }: Pick<Config, 'dataDir'>): SqliteFile {
  const file = new SqliteFile(join(dataDir, 'mentors.db'))
  file.migrate(MENTORS_FILE_STEPS)
  return file
}

/** Opens the stores of the backend in the settings. @param onUnrecorded called when asked questions could not be recorded yet */
export async function openStores(
  config: Config,
  file: SqliteFile,
  onUnrecorded: (error: unknown) => void
): Promise<Stores> {
  const { dataDir, maxModelVersions: maxVersions, maxAnswerRecords: maxRecords } = config
  if (config.backend === 'local') {
    const recorder = new SqliteAnswerRecorder({ file, maxRecords, onError: onUnrecorded })
    return {
      mentors: new SqliteMentorStore(file),
      models: new SqliteModelStore({ file, folder: join(dataDir, 'models'), maxVersions }),
      recorder,
      review: { asked: recorder, grades: new SqliteGradeStore(file) },
      close: () => undefined
    }
  }
  const { jobsTable: table, modelsBucket: bucket } = config
  assert(table !== undefined && bucket !== undefined, 'The settings of BACKEND=aws were not checked; this is a bug')
  // Loaded only when needed: loading the SDK takes a quarter of a second.
  const { openAwsStores } = await import('../platform/aws-stores.ts')
  return openAwsStores(
    {
      table,
      bucket,
      maxVersions,
      forcePathStyle: config.awsEndpointUrl !== undefined || config.awsEndpointUrlS3 !== undefined
    },
    onUnrecorded
  )
}
