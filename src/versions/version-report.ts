/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { ConfidenceBin } from '../learning/confidence-drift.ts'
import type { ModelStore } from './model-store.ts'

/** The part of a kept report that confidences are held against. */
const ReportWithBins = Type.Object({
  evaluation: Type.Object({
    confidenceBins: Type.Array(Type.Object({ upTo: Type.Union([Type.Number(), Type.Null()]), share: Type.Number() }))
  })
})

/** Where a version's confidences lay out of fold; undefined when its report does not tell. */
export async function readTrainingBins(
  models: Pick<ModelStore, 'report'>,
  name: string,
  version: number
): Promise<readonly ConfidenceBin[] | undefined> {
  const json = await models.report(name, version)
  const report: unknown = json === undefined ? undefined : JSON.parse(json)
  return Value.Check(ReportWithBins, report) ? report.evaluation.confidenceBins : undefined
}
