/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Prediction } from '../learning/prediction.ts'
import type { ColumnType } from '../table/signature.ts'
import { csvLine } from '../table/csv-line.ts'

/** What a reply says about each row besides its class. */
export interface PredictionDetail {
  readonly hasProbability: boolean
  /** Number of ranked classes for each row; 0 for none. */
  readonly topK: number
}

/**
 * Writes predictions as columns: `{"class":[0.0,1.0]}`, with `probability` and `top_k` on request. Classes of a number
 * label are written as floats, whole numbers too: `1.0`, as existing clients expect.
 */
export function predictionsJson(rows: readonly Prediction[], labelType: ColumnType, detail: PredictionDetail): string {
  const members = [`"class":[${rows.map(({ classId }) => classJson(classId, labelType)).join(',')}]`]
  if (detail.hasProbability) members.push(`"probability":[${rows.map(({ confidence }) => confidence).join(',')}]`)
  if (detail.topK > 0) {
    const rankedJson = ({ ranked }: Prediction) =>
      ranked
        .map(({ classId, confidence }) => `{"class":${classJson(classId, labelType)},"probability":${confidence}}`)
        .join(',')
    members.push(`"top_k":[${rows.map((row) => `[${rankedJson(row)}]`).join(',')}]`)
  }
  return `{${members.join(',')}}`
}

/** Header of predictions as CSV; `error` is empty for a valid row. */
export function predictionCsvHeader({ hasProbability, topK }: PredictionDetail): string {
  const names = ['class', ...(hasProbability ? ['probability'] : [])]
  for (let k = 2; k <= topK; k++) names.push(`class_${k}`, ...(hasProbability ? [`probability_${k}`] : []))
  return csvLine([...names, 'error'])
}

/** A line of CSV under {@link predictionCsvHeader}. */
export function predictionCsvLine(
  row: Prediction | { readonly problem: string },
  labelType: ColumnType,
  detail: PredictionDetail
): string {
  const width = (detail.hasProbability ? 2 : 1) * Math.max(1, detail.topK)
  if ('problem' in row) return csvLine([...Array.from({ length: width }, () => ''), row.problem])
  const ranked = detail.topK > 1 ? row.ranked : [row]
  const cells = ranked.flatMap(({ classId, confidence }) => [
    labelType === 'number' ? classJson(classId, labelType) : classId,
    ...(detail.hasProbability ? [String(confidence)] : [])
  ])
  while (cells.length < width) cells.push('')
  return csvLine([...cells, ''])
}

function classJson(classId: string, type: ColumnType): string {
  if (type === 'text') return JSON.stringify(classId)
  return /^-?\d+$/.test(classId) ? `${classId}.0` : classId
}
