/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { oneOf, text } from '../setting.ts'

/** Where jobs, mentors and models are kept: here or on AWS. */
export const AWS_SETTINGS = {
  BACKEND: oneOf(['local', 'aws'], {
    default: 'local',
    doc: 'Where jobs, mentors and models are kept: `local`, SQLite files and a folder in `DATA_DIR`; `aws`, SQS, DynamoDB and S3, which need `JOBS_QUEUE_URL`, `JOBS_TABLE`, `MODELS_BUCKET` and the standard AWS variables.'
  }),
  JOBS_QUEUE_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'the URL of an SQS standard queue',
    doc: 'Messages about jobs. Needed with `BACKEND=aws`.'
  }),
  JOBS_BULK_QUEUE_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'the URL of an SQS standard queue',
    doc: 'Messages about bulk jobs. Without it they share the queue of the others.'
  }),
  JOBS_DEAD_LETTER_QUEUE_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'the URL of an SQS standard queue',
    doc: 'Gets a copy of each dead letter, for an alarm; moving it back to its queue redrives the job. Without it none are sent.'
  }),
  JOBS_TABLE: text({
    default: undefined,
    pattern: /^[A-Za-z0-9_.-]{3,255}$/,
    bounds: 'the name of a DynamoDB table',
    doc:
      'Jobs, and the small items of mentors and models that change; `src/platform/job-resources.json` describes the table. ' +
      'Needed with `BACKEND=aws`.'
  }),
  MODELS_BUCKET: text({
    default: undefined,
    pattern: /^[a-z0-9.-]{3,63}$/,
    bounds: 'the name of an S3 bucket',
    doc:
      'Large inputs and results of jobs, below `jobs/`; mentors and models, below `mentors/` and `models/`. Needed with ' +
      '`BACKEND=aws`.'
  }),
  AWS_ENDPOINT_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'a URL',
    doc: 'An emulator in place of AWS. The SDK also reads `AWS_ENDPOINT_URL_SQS`, `_DYNAMODB` and `_S3`.'
  }),
  AWS_ENDPOINT_URL_S3: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'a URL',
    doc: 'An emulator in place of S3 alone. With either of the two, the bucket’s name is in the path.'
  })
} as const
