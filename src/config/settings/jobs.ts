/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { flag, integer, text } from '../setting.ts'

/** Settings of jobs: concurrency, leases, disk space and callbacks. */
export const JOB_SETTINGS = {
  JOBS_CONCURRENCY: integer({
    default: 2,
    min: 0,
    max: 256,
    unit: 'jobs',
    doc: 'Maximum number of jobs that this process runs at a time, notices to other services aside; 0 leaves them to `npm run worker`.'
  }),
  JOBS_LEASE_SECONDS: integer({
    default: 30,
    min: 3,
    max: 43_200,
    unit: 'seconds',
    doc: 'A worker that sends no heartbeat for this long loses its job to another.'
  }),
  JOBS_BODY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 268_435_456,
    unit: 'bytes',
    doc: 'Longest body of `POST /v1/jobs`; beyond it 413.'
  }),
  JOBS_MAX_BYTES: integer({
    default: 17_179_869_184,
    min: 1_048_576,
    max: 1_099_511_627_776,
    unit: 'bytes',
    doc: 'Maximum size of the SQLite file of jobs; beyond it jobs are refused with 503 until old ones expire, 20 days after they ended.'
  }),
  JOBS_RESERVE_BYTES: integer({
    default: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    doc: 'Free space, on the disk and below `JOBS_MAX_BYTES`, that is kept in reserve beside the expected results of accepted jobs. Jobs and trainings that would need it are refused with 503.'
  }),
  WEBHOOK_SECRET: text({
    default: undefined,
    pattern: /^[\x21-\x7e]{16,1024}$/,
    bounds: '16 or more characters of printable ASCII without spaces',
    isSecret: true,
    doc: 'Key that signs the notices to a `callbackUrl`: `whsec_` and base64, as in Standard Webhooks, or any other text. Without it no callbacks are accepted.'
  }),
  WEBHOOK_ALLOW_PRIVATE: flag({
    default: false,
    doc: 'Whether a `callbackUrl` may lead to an address of a private network. `true` lets every caller send requests into yours.'
  })
} as const
