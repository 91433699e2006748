/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { type checkDemands, describeCheck, describeFigures, figuresOf } from './judgement.ts'
import type { TableSummary } from '../table/training-request.ts'
import type { LearningPoint, TrainOutcome } from '../versions/version-trainer.ts'

/** Results of a training to describe. */
export interface Trained {
  readonly name: string
  readonly outcome: TrainOutcome
  readonly summary: TableSummary
  readonly learningCurve: readonly LearningPoint[]
  /** Paths of the plots. */
  readonly paths: readonly string[]
  readonly checks: ReturnType<typeof checkDemands>
  readonly isGood: boolean
}

/** Describes a training as one JSON object, for programs. */
export function describeAsJson({ name, outcome, summary, learningCurve, paths, checks, isGood }: Trained): object {
  const { version, promotion, architecture, figures, notMeasured, durationMs } = outcome
  const { signature, rowCount, classCount, dropped, contradictions, similarLabels } = summary
  return {
    classifier: name,
    version,
    architecture,
    promotion,
    ...signature,
    rowCount,
    classCount,
    dropped,
    contradictions,
    similarLabels,
    durationMs,
    figures: figuresOf(figures),
    notMeasured,
    learningCurve,
    checks,
    plots: paths,
    passed: isGood
  }
}

/** Describes a training in lines, for people. */
export function describeInLines({ name, outcome, summary, learningCurve, paths, checks }: Trained): string[] {
  const { version, promotion, architecture, figures, notMeasured, durationMs } = outcome
  const { signature, rowCount, classCount } = summary
  const columns = signature.features.map(({ name: column, type }) => `${column} (${type})`).join(', ')
  const kept = promotion.outcome === 'promoted' ? undefined : promotion.reason
  return [
    `${name}: version ${version} (${architecture}) of ${rowCount} rows and ${classCount} classes, in ${(durationMs / 1000).toFixed(1)} s`,
    `columns: ${columns}; label ${signature.label.name} (${signature.label.type})`,
    ...describeFindings(summary),
    `out of fold: ${describeFigures(figures)}`,
    ...notMeasured,
    ...learningCurve.map(
      (point) => `${point.sampleCount} rows: ${point.accuracy === null ? 'not measured' : point.accuracy.toFixed(4)}`
    ),
    kept === undefined
      ? 'It answers from now on, also of a service that runs on this DATA_DIR.'
      : `It is kept and does not answer: ${kept}`,
    ...paths,
    ...checks.map(describeCheck)
  ]
}

/** Findings that the table's owner may want to fix. */
function describeFindings({ dropped, contradictions, similarLabels }: TableSummary): string[] {
  const { emptyRowCount, headerRowCount, emptyColumns, numberingColumns } = dropped
  const lines: string[] = []
  if (emptyRowCount > 0) lines.push(`left out: ${emptyRowCount} rows without a value`)
  if (headerRowCount > 0) lines.push(`left out: ${headerRowCount} rows that are the header again`)
  if (emptyColumns.length > 0) lines.push(`left out, without a value: ${emptyColumns.join(', ')}`)
  if (numberingColumns.length > 0) lines.push(`left out, as it numbers the rows: ${numberingColumns.join(', ')}`)
  if (contradictions !== undefined) {
    const { rows, labels } = contradictions.examples[0]!
    const first = `the first in rows ${rows.join(', ')}, as ${labels.join(' and ')}`
    lines.push(`the same under different labels: ${contradictions.count} times, ${first}`)
  }
  for (const { labels, rows } of similarLabels?.examples ?? []) {
    lines.push(`labels that hardly differ: ${labels.join(' and ')}, first in rows ${rows.join(', ')}`)
  }
  return lines
}
