/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Environment } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'
import { BacklogReporter } from '../jobs/backlog-reporter.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import type { EcsScaleInProtection } from '../platform/ecs-scale-in-protection.ts'
import { createWorkerHealth } from '../server/worker-health.ts'
import { createJobRunner } from './jobs.ts'
import { closeServer, listenWith } from './listen.ts'
import { openMentors } from './mentors.ts'
import { tracedEncoding, type CreateEncoding } from './open-app.ts'
import { openOrGiveUp, openProcess, type ProcessKind } from './open-process.ts'

const WORKER: ProcessKind = { name: 'worker', starting: 'starting a worker', unfinished: 'jobs were still at work' }

/**
 * Runs a worker until a signal ends it: does the jobs that services have accepted; its HTTP server has only health and metrics.
 * When it cannot start, it writes the reason to standard error and ends the process with status 1. When the model cannot be
 * loaded, it logs that, and goes on without taking jobs.
 */
export async function runWorker(env: Environment, createEncoding: CreateEncoding): Promise<void> {
  const context = await openProcess(env, WORKER)
  if (context === undefined) return
  const { config, log, metrics, emfReporter, jobs, closing, stopping } = context
  const { logger } = log

  const encoding = tracedEncoding(createEncoding(config, logger, metrics.encoderObserver), context.tracing)
  closing.defer(() => encoding.close())
  metrics.addEncoderLoad(() => encoding.load())
  // Closed after the jobs: until they are done, readiness says that the worker is stopping.
  const health = createWorkerHealth({
    readiness: {
      isReady: () => !stopping.aborted && encoding.readiness.isReady(),
      reasons: () => (stopping.aborted ? ['the worker is stopping'] : encoding.readiness.reasons())
    },
    metrics
  })
  closing.adopt(health, closeServer)
  const dependencies = { jobs, encoder: encoding.encoder, log: logger, closing }
  const mentors = await openOrGiveUp(context, () => openMentors(config, dependencies))
  if (mentors === undefined) return
  const reporter = new BacklogReporter({ backend: jobs, workerId: randomUUID(), log: logger })
  closing.defer(() => reporter.stop())
  const runner = createJobRunner(config, jobs, encoding.encoder, logger, mentors.handlers, context.tracing.tracer)
  const protection = await openScaleInProtection(config, runner, logger)
  // Closed after the jobs, so that it protects them until they are done.
  closing.defer(() => protection?.stop())
  closing.defer(async () => {
    await runner.stop()
    logger.info(runner.counts, 'no more jobs are taken')
  })
  metrics.addJobs({ counts: () => runner.counts, backlog: () => reporter.latest })
  if (!(await listenWith(health, { host: config.host, port: config.workerPort }))) return context.close()
  logger.info({ address: health.address() }, 'listening')
  emfReporter?.start()
  context.closeOnSignal()

  try {
    await encoding.start()
  } catch (error) {
    logger.fatal({ err: error }, 'the model could not be loaded')
    return
  }
  runner.start()
  reporter.start()
  protection?.start()
  logger.info({ revision: encoding.encoder.revision }, 'ready')
}

/** Opens the scale-in protection of the ECS task; undefined outside of ECS. */
async function openScaleInProtection(
  { ecsAgentUri: agentUri }: Config,
  runner: JobRunner,
  log: Logger
): Promise<EcsScaleInProtection | undefined> {
  if (agentUri === undefined) return undefined
  const { EcsScaleInProtection } = await import('../platform/ecs-scale-in-protection.ts')
  return new EcsScaleInProtection({ agentUri, oldestJobMs: () => runner.oldestJobMs, log })
}
