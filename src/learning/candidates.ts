/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ClassNearness } from './class-nearness.ts'
import type { ClassSamples, EncodedTexts } from './class-samples.ts'
import { matrixRow } from './matrix.ts'
import { softmaxLogits, type SoftmaxModel } from './softmax.ts'
import type { TensorEngine } from './tensor-engine.ts'

/**
 * Maximum number of candidate classes. On Banking77 the right class is among the 16 with the greatest logits for 99.8% of
 * the questions. Comparing a question with the samples of these alone limits the cost of an answer, however many samples a
 * mentor has.
 */
export const MAX_CANDIDATES = 16

/**
 * Candidate classes of each of n samples: those with the greatest logits, with similarities to their training samples.
 * Row-major, n × width.
 */
export interface Candidates {
  readonly count: number
  /** The number of classes, at most {@link MAX_CANDIDATES}. */
  readonly width: number
  /** Descending by logit, the lower class first of equals. */
  readonly classes: Int32Array
  readonly logits: Float64Array
  /** Cosine similarity to the nearest training sample of the class; −1 for a class without samples. */
  readonly similarities: Float64Array
  /** Cosine similarity of the character n-grams to the nearest training sample of the class; 0 without texts. */
  readonly gramSimilarities: Float64Array
}

/** Number of logits held at a time: 64 MB. */
const BLOCK_VALUES = 1 << 24

/**
 * Finds the candidates of many samples.
 * @param nearness cache of an earlier call with the same samples and questions
 */
export async function findCandidates(
  engine: TensorEngine,
  model: SoftmaxModel,
  trained: ClassSamples,
  asked: EncodedTexts,
  nearness = new ClassNearness(engine, trained, asked)
): Promise<Candidates> {
  const queries = asked.features
  const count = queries.rows
  const width = Math.min(MAX_CANDIDATES, model.classCount)
  const classes = new Int32Array(count * width)
  const logits = new Float64Array(count * width)
  const blockRows = Math.max(1, Math.floor(BLOCK_VALUES / model.classCount))
  for (let from = 0; from < count; from += blockRows) {
    const rows = Math.min(blockRows, count - from)
    const values = queries.values.subarray(from * queries.columns, (from + rows) * queries.columns)
    const block = await softmaxLogits(engine, model, { values, rows, columns: queries.columns })
    for (let i = 0; i < rows; i++) {
      const row = matrixRow(block, i)
      for (const [place, k] of greatest(row, width).entries()) {
        const at = (from + i) * width + place
        classes[at] = k
        logits[at] = row[k]!
      }
    }
  }
  const similarities = await nearness.cosines(classes, width)
  const gramSimilarities = nearness.gramSimilarities(classes, width)
  return { count, width, classes, logits, similarities, gramSimilarities }
}

/** Positions of the `count` greatest values, descending, the first of equals first. */
export function greatest(values: ArrayLike<number>, count: number): number[] {
  const best: number[] = []
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    let place = best.length
    if (place === count) {
      if (value <= values[best[count - 1]!]!) continue
      // Overwrites the least.
      place -= 1
    }
    for (; place > 0 && value > values[best[place - 1]!]!; place--) best[place] = best[place - 1]!
    best[place] = i
  }
  return best
}
