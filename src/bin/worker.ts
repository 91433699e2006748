/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { begin } from '../app/begin.ts'
import type { Environment } from '../config/load-config.ts'
import { createEmfReporter } from '../app/emf-reporter.ts'
import { createJobRunner } from '../app/jobs.ts'
import { BacklogReporter } from '../jobs/backlog-reporter.ts'
import { createLocalEncoding } from '../app/encoding.ts'
import { openMentors } from '../app/mentors.ts'
import { createMetrics } from '../server/metrics.ts'
import type { Readiness } from '../server/readiness.ts'
import { createWorkerHealth } from '../server/worker-health.ts'

const HELP = `Usage: npm run worker [-- --help]

Does the jobs that services on the same DATA_DIR, or the same queue on AWS, have accepted. It has no
HTTP but health and metrics, on WORKER_PORT: /health/live, /health/ready, /metrics.

  BACKEND             local: the SQLite file in DATA_DIR (default); aws: SQS, DynamoDB and S3
  JOBS_CONCURRENCY    jobs at a time (default 2)
  JOBS_LEASE_SECONDS  a worker that is silent for so long loses its job (default 30)
  WORKER_PORT, HOST   where health is (default 8081, 127.0.0.1)

SIGTERM stops it: jobs at work are finished, or given back to others after SHUTDOWN_DEADLINE_SECONDS.
All settings are in docs/configuration.md, jobs in docs/jobs.md.
`

async function runWorker(env: Environment): Promise<void> {
  const beginning = await begin(env, 'starting a worker')
  if (beginning === undefined) return
  const { config, log, jobs: backend } = beginning
  const { logger } = log

  const metrics = createMetrics()
  const encoding = createLocalEncoding(config, logger, metrics.encoderObserver)
  const mentors = await openMentors(config, backend, encoding.encoder, logger)
  const runner = createJobRunner(config, backend, encoding.encoder, logger, mentors.handlers)
  const reporter = new BacklogReporter({ backend, workerId: randomUUID(), log: logger })
  metrics.addEncoderLoad(() => encoding.load())
  metrics.addJobs({ counts: () => runner.counts, backlog: () => reporter.latest })
  const emfReporter = createEmfReporter(config, 'worker', metrics, log)
  let isStopping = false
  const readiness: Readiness = {
    isReady: () => !isStopping && encoding.readiness.isReady(),
    reasons: () => (isStopping ? ['the worker is stopping'] : encoding.readiness.reasons())
  }
  const health = createWorkerHealth({ readiness, metrics })
  health.listen(config.workerPort, config.host)
  await once(health, 'listening')
  logger.info({ address: health.address() }, 'listening')
  emfReporter?.start()

  closeWithGrace(
    {
      delay: config.shutdownDeadlineSeconds * 1000,
      logger: false,
      onTimeout() {
        logger.fatal('jobs were still at work at the deadline: killed')
        log.flush()
        process.kill(process.pid, 'SIGKILL')
      }
    },
    async ({ signal, err }) => {
      isStopping = true
      if (err) logger.fatal({ err }, 'failed: stopping')
      else logger.info({ signal }, 'stopping')
      await runner.stop()
      await reporter.stop()
      await mentors.close()
      await backend.close()
      await encoding.close()
      await emfReporter?.stop()
      health.closeAllConnections()
      health.close()
      logger.info(runner.counts, 'stopped')
      log.flush()
    }
  )

  try {
    await encoding.start()
  } catch (error) {
    logger.fatal({ err: error }, 'the model could not be loaded')
    return
  }
  runner.start()
  reporter.start()
  logger.info({ revision: encoding.encoder.revision }, 'ready')
}

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h', default: false } } })
if (values.help) process.stdout.write(HELP)
else await runWorker(process.env)
