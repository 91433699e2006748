/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { OffTopicBound } from '../learning/off-topic-bound.ts'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { ConfidenceBin } from '../learning/confidence-drift.ts'
import type { ModelStore } from './model-store.ts'

const ReportWithBound = Type.Object({ offTopicBound: OffTopicBound })

/** The part of a stored report with the histogram of confidences. */
const ReportWithBins = Type.Object({
  evaluation: Type.Object({
    confidenceBins: Type.Array(Type.Object({ upTo: Type.Union([Type.Number(), Type.Null()]), share: Type.Number() }))
  })
})

/** Reads the bound of a version's off-topic rule; undefined when it has none or its report does not say. */
export async function readOffTopicBound(
  models: Pick<ModelStore, 'report'>,
  name: string,
  version: number
): Promise<OffTopicBound | undefined> {
  const report = await readReport(models, name, version)
  return Value.Check(ReportWithBound, report) ? report.offTopicBound : undefined
}

async function readReport(models: Pick<ModelStore, 'report'>, name: string, version: number): Promise<unknown> {
  const json = await models.report(name, version)
  return json === undefined ? undefined : JSON.parse(json)
}

/** Reads the histogram of a version's out-of-fold confidences; undefined when its report lacks it. */
export async function readTrainingBins(
  models: Pick<ModelStore, 'report'>,
  name: string,
  version: number
): Promise<readonly ConfidenceBin[] | undefined> {
  const report = await readReport(models, name, version)
  return Value.Check(ReportWithBins, report) ? report.evaluation.confidenceBins : undefined
}
