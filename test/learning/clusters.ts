/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FloatMatrix } from '../../src/learning/tensor-engine.ts'

/** A generator of numbers from 0 up to 1, the same each time. Source: Numerical Recipes, 3rd edition, section 7.1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector)
  return vector.map((x) => x / length)
}

/** Unit vectors about one random centre a class: like embeddings of paraphrases. Sample i is of class i % classCount. */
export function clusters(classCount: number, count: number, { spread = 0.6, dimensions = 24, seed = 7 } = {}) {
  const random = seededRandom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const vector = () => Array.from({ length: dimensions }, normal)
  const centres = Array.from({ length: classCount }, () => unit(vector()))
  const labels = Int32Array.from({ length: count }, (_, i) => i % classCount)
  const rows = Array.from(labels, (label) => {
    const noise = unit(vector())
    return unit(centres[label]!.map((x, j) => x + spread * noise[j]!))
  })
  const features: FloatMatrix = { values: Float32Array.from(rows.flat()), rows: count, columns: dimensions }
  return { features, labels, classCount }
}

/** The samples whose class `keep` accepts, with the same labels. */
export function samplesWhere(
  { features, labels }: ReturnType<typeof clusters>,
  keep: (label: number, i: number) => boolean
) {
  const kept = [...labels.keys()].filter((i) => keep(labels[i]!, i))
  const { columns } = features
  return {
    features: {
      values: Float32Array.from(kept.flatMap((i) => [...features.values.subarray(i * columns, (i + 1) * columns)])),
      rows: kept.length,
      columns
    },
    labels: Int32Array.from(kept, (i) => labels[i]!)
  }
}
