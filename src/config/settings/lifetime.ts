/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { integer } from '../setting.ts'

/** Settings of processes: a worker’s port, and the deadline of a stop. */
export const PROCESS_SETTINGS = {
  WORKER_PORT: integer({
    default: 8081,
    min: 0,
    max: 65_535,
    doc: 'Port of health and metrics of `npm run worker`; 0 takes any free one.'
  }),
  SHUTDOWN_DEADLINE_SECONDS: integer({
    default: 25,
    min: 1,
    max: 3600,
    unit: 'seconds',
    doc: 'How long a stop waits for requests and jobs in progress; then the process is killed. Jobs that are not done 5 seconds before are given back.'
  })
} as const
