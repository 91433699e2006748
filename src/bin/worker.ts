/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { parseArgs } from 'node:util'
import { createLocalEncoding } from '../app/encoding.ts'
import { runWorker } from '../app/worker.ts'

const HELP = `Usage: npm run worker [-- --help]

Does the jobs that services on the same DATA_DIR, or the same queue on AWS, have accepted. It has no
HTTP but health and metrics, on WORKER_PORT: /health/live, /health/ready, /metrics.

  BACKEND             local: the SQLite file in DATA_DIR (default); aws: SQS, DynamoDB and S3
  JOBS_CONCURRENCY    jobs at a time (default 2)
  JOBS_LEASE_SECONDS  a worker that sends no heartbeat for this long loses its job (default 30)
  WORKER_PORT, HOST   where health is (default 8081, 127.0.0.1)

SIGTERM stops it: running jobs are finished, or given back to others 5 s before SHUTDOWN_DEADLINE_SECONDS are over.
All settings are in docs/configuration.md, jobs in docs/jobs.md.
`

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h', default: false } } })
if (values.help) process.stdout.write(HELP)
else await runWorker(process.env, createLocalEncoding)
