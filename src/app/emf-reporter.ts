/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Config } from '../config/settings.ts'
import { EmfReporter, type ReportingProcess } from '../server/emf-reporter.ts'
import type { Metrics } from '../server/metrics.ts'
import type { ServiceLog } from '../server/request-log.ts'

/** Creates the reporter of a process's metrics to CloudWatch; undefined unless `METRICS=emf`. */
export function createEmfReporter(
  config: Pick<Config, 'metrics' | 'metricsIntervalSeconds' | 'stage'>,
  process: ReportingProcess,
  metrics: Pick<Metrics, 'read'>,
  log: Pick<ServiceLog, 'writeLine'>
): EmfReporter | undefined {
  if (config.metrics !== 'emf') return undefined
  return new EmfReporter({
    process,
    stage: config.stage,
    everyMs: config.metricsIntervalSeconds * 1000,
    read: () => metrics.read(),
    write: (line) => log.writeLine(line)
  })
}
