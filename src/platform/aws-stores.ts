/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { openAwsStorage, type AwsStorageOptions } from './aws-storage.ts'
import { DynamoAnswerRecorder } from './dynamo-answer-recorder.ts'
import { S3GradeStore } from './s3-grade-store.ts'
import { S3MentorStore } from './s3-mentor-store.ts'
import { S3ModelStore } from './s3-model-store.ts'

/** How to open the stores on AWS. */
export interface AwsStoresOptions extends AwsStorageOptions {
  readonly maxVersions: number
}

/** Opens the stores of mentors, models and asked questions on one table and one bucket. */
export function openAwsStores(options: AwsStoresOptions, onUnrecorded: (error: unknown) => void) {
  const storage = openAwsStorage(options)
  const recorder = new DynamoAnswerRecorder(storage.table, onUnrecorded)
  return {
    mentors: new S3MentorStore({ storage }),
    models: new S3ModelStore({ storage, maxVersions: options.maxVersions }),
    recorder,
    review: { asked: recorder, grades: new S3GradeStore(storage) },
    close: () => storage.close()
  }
}
