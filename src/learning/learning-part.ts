/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'
import type { FeatureColumn, FitRequest } from './fit.ts'
import type { FloatMatrix } from './tensor-engine.ts'

/** A fit request whose features may be transferred to a thread. */
export type OwnedFitRequest = FitRequest & {
  readonly features: FloatMatrix & { readonly values: Float32Array<ArrayBuffer> }
}

/** Minimum number of groups of each class in a part, so that one can be held out. */
const MIN_GROUPS = 2

/**
 * Selects a part of a training's samples, with this share of each class. Samples of one group stay together, a smaller
 * part is a subset of a larger one, and the same data give the same part.
 * @param share above 0, at most 1
 */
export function partOf(request: OwnedFitRequest, share: number): OwnedFitRequest {
  const { samples, features, columns } = request
  const { labels, groups } = samples
  const groupsOfClass = new Map<number, Set<number>>()
  for (const [row, label] of labels.entries()) {
    const ofClass = groupsOfClass.get(label)
    if (ofClass === undefined) groupsOfClass.set(label, new Set([groups[row]!]))
    else ofClass.add(groups[row]!)
  }
  const chosen = new Map(
    [...groupsOfClass].map(([label, ofClass]) => {
      const count = Math.max(MIN_GROUPS, Math.ceil(share * ofClass.size))
      return [label, new Set([...ofClass].toSorted(byHash).slice(0, count))]
    })
  )
  const rows = [...labels.keys()].filter((row) => chosen.get(labels[row]!)?.has(groups[row]!))
  const values = new Float32Array(rows.length * features.columns)
  for (const [index, row] of rows.entries()) {
    values.set(features.values.subarray(row * features.columns, (row + 1) * features.columns), index * features.columns)
  }
  return {
    ...request,
    samples: {
      ...samples,
      texts: samples.texts.length === 0 ? [] : rows.map((row) => samples.texts[row]!),
      labels: Int32Array.from(rows, (row) => labels[row]!),
      groups: Int32Array.from(rows, (row) => groups[row]!)
    },
    features: { values, rows: rows.length, columns: features.columns },
    ...(columns !== undefined && { columns: columns.map((column) => columnOf(column, rows)) })
  }
}

function columnOf({ name, values }: FeatureColumn, rows: readonly number[]): FeatureColumn {
  if (values instanceof Float64Array) return { name, values: Float64Array.from(rows, (row) => values[row]!) }
  return { name, values: rows.map((row) => values[row]!) }
}

/** Compares by hash: an order that is independent of the table's. */
function byHash(a: number, b: number): number {
  return hash('sha256', String(a)) < hash('sha256', String(b)) ? -1 : 1
}
