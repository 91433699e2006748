/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { GramIndex, type Grams } from './character-grams.ts'
import { matrixRow } from './matrix.ts'
import { softmaxLogits, type SoftmaxModel } from './softmax.ts'
import type { FloatMatrix, TensorEngine } from './tensor-engine.ts'

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

/** Samples, or questions, with their texts' n-grams. */
export interface EncodedTexts {
  /** Embeddings, n × d, L2 norm 1. */
  readonly features: FloatMatrix
  /** The n-grams of each text; undefined without texts. */
  readonly grams?: readonly Grams[] | undefined
}

/** Samples with the texts that a model stores to show those that are near a question. */
export interface SampleTexts extends EncodedTexts {
  /** Undefined for a model that stores no texts. */
  readonly texts?: readonly string[] | undefined
}

/** Number of logits held at a time: 64 MB. */
const BLOCK_VALUES = 1 << 24

/** Maximum number of cached similarities of questions to classes: 16 MB. */
const MAX_KEPT_VALUES = 1 << 22

/** Training samples by class. */
export interface ClassSamples extends EncodedTexts {
  /** Rows of each class. */
  readonly rowsOfClass: readonly Int32Array[]
}

/** Groups the samples at `indices` by class. */
export function groupByClass(
  { features, grams }: EncodedTexts,
  labels: Int32Array,
  classCount: number,
  indices: Int32Array
): ClassSamples {
  const rows: number[][] = Array.from({ length: classCount }, () => [])
  for (const index of indices) rows[labels[index]!]!.push(index)
  return { features, grams, rowsOfClass: rows.map((ofClass) => Int32Array.from(ofClass)) }
}

/**
 * Finds the candidates of many samples.
 * @param classGrams cache of an earlier call with the same samples and questions
 */
export async function findCandidates(
  engine: TensorEngine,
  model: SoftmaxModel,
  trained: ClassSamples,
  asked: EncodedTexts,
  classGrams = classGramsOf(trained, asked)
): Promise<Candidates> {
  const queries = asked.features
  const count = queries.rows
  const width = Math.min(MAX_CANDIDATES, model.classCount)
  const classes = new Int32Array(count * width)
  const logits = new Float64Array(count * width)
  const similarities = new Float64Array(count * width).fill(-1)
  const placesOfClass: number[][] = Array.from({ length: model.classCount }, () => [])
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
        placesOfClass[k]!.push(at)
      }
    }
  }
  for (const [k, places] of placesOfClass.entries()) {
    const rows = trained.rowsOfClass[k]!
    if (rows.length === 0 || places.length === 0) continue
    const near = copyRows(
      queries,
      places.map((place) => Math.floor(place / width))
    )
    const cosines = await engine.product(near, copyRows(trained.features, rows))
    for (const [i, place] of places.entries()) {
      let nearest = -1
      for (let j = i * rows.length; j < (i + 1) * rows.length; j++) nearest = Math.max(nearest, cosines.values[j]!)
      similarities[place] = nearest
    }
  }
  const gramSimilarities = new Float64Array(classes.length)
  if (classGrams !== undefined) {
    for (const [at, k] of classes.entries()) {
      gramSimilarities[at] = classGrams.similarities(Math.floor(at / width))[k]!
    }
  }
  return { count, width, classes, logits, similarities, gramSimilarities }
}

/**
 * Similarities of questions to the nearest sample of each class, by character n-grams. Results are cached, since they are
 * the same for any coefficients.
 */
export class ClassGrams {
  readonly #asked: readonly Grams[]
  readonly #index: GramIndex
  /** Class of each text of the index. */
  readonly #classes: Int32Array
  readonly #classCount: number
  readonly #sums: Float32Array
  readonly #kept = new Map<number, Float32Array>()
  readonly #isKept: boolean

  /** @param trained the training samples, without held-out ones */
  constructor(trained: ClassSamples & { readonly grams: readonly Grams[] }, asked: readonly Grams[]) {
    const { grams, rowsOfClass } = trained
    const rows = rowsOfClass.flatMap((ofClass) => [...ofClass])
    this.#asked = asked
    this.#index = new GramIndex(rows.map((row) => grams[row]!))
    this.#classes = Int32Array.from(rowsOfClass.flatMap((ofClass, k) => Array.from(ofClass, () => k)))
    this.#classCount = rowsOfClass.length
    this.#sums = new Float32Array(rows.length)
    this.#isKept = asked.length * this.#classCount <= MAX_KEPT_VALUES
  }

  /** Similarities of question `i` to each class; 0 for a class without samples. */
  similarities(i: number): Float32Array {
    const kept = this.#kept.get(i)
    if (kept !== undefined) return kept
    const found = new Float32Array(this.#classCount)
    const sums = this.#index.similarities(this.#asked[i]!, this.#sums)
    const classes = this.#classes
    for (let text = 0; text < sums.length; text++) {
      const k = classes[text]!
      if (sums[text]! > found[k]!) found[k] = sums[text]!
    }
    if (this.#isKept) this.#kept.set(i, found)
    return found
  }
}

/** Makes {@link ClassGrams} where both samples and questions have n-grams. */
export function classGramsOf(trained: ClassSamples, asked: EncodedTexts): ClassGrams | undefined {
  const { grams } = trained
  return grams === undefined || asked.grams === undefined
    ? undefined
    : new ClassGrams({ ...trained, grams }, asked.grams)
}

/** Positions of the `count` greatest values, descending, the first of equals first. */
export function greatest(values: ArrayLike<number>, count: number): number[] {
  const best: number[] = []
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (best.length === count && value <= values[best[count - 1]!]!) continue
    let place = best.length
    while (place > 0 && value > values[best[place - 1]!]!) place -= 1
    best.splice(place, 0, i)
    if (best.length > count) best.pop()
  }
  return best
}

function copyRows(of: FloatMatrix, indices: ArrayLike<number>): FloatMatrix {
  const values = new Float32Array(indices.length * of.columns)
  for (let i = 0; i < indices.length; i++) values.set(matrixRow(of, indices[i]!), i * of.columns)
  return { values, rows: indices.length, columns: of.columns }
}
