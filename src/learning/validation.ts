/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { fitCalibration, meanLogLoss } from './calibration.ts'
import { findCandidates, type Candidates } from './candidates.ts'
import { ClassNearness } from './class-nearness.ts'
import { groupByClass, type EncodedTexts } from './class-samples.ts'
import { splitByFold } from './folds.ts'
import { fitSoftmax, takeSamples, type SoftmaxModel, type SoftmaxOptions, type SoftmaxSamples } from './softmax.ts'
import type { TensorEngine } from './tensor-engine.ts'
import type { TrainingOptions, TrainingSet } from './training-set.ts'

/** Regularization strengths that are tried: C of 1 to 100. */
export const PENALTIES = [1, 1 / 3, 1 / 10, 1 / 30, 1 / 100] as const
/** Index of the usual strength in {@link PENALTIES}. */
export const FIRST_PENALTY = 2
/** Number of held-out samples that suffices to compare two regularization strengths; later folds use the chosen one. */
const SAMPLES_TO_CHOOSE_PENALTY = 500

/** Limits at which a fit stops. */
export type FitLimits = Pick<SoftmaxOptions, 'gradientTolerance' | 'maxEvaluations'>

/** The samples of a fold, as predicted by the model that was fitted to the other folds. */
export interface HeldOut {
  readonly model: SoftmaxModel
  /** Positions of the samples in the training set. */
  readonly samples: Int32Array
  /** Class of each sample. */
  readonly labels: Int32Array
  readonly candidates: Candidates
}

/**
 * Fits fold models and caches them. Each fold is fitted once for each regularization strength, starting from the fit
 * with a neighbouring strength.
 */
export class Validation {
  readonly #engine: TensorEngine
  readonly #set: TrainingSet
  readonly #samples: SoftmaxSamples
  readonly #folds: Int32Array
  readonly #limits: FitLimits
  readonly #options: TrainingOptions
  readonly #done = new Map<string, HeldOut>()
  readonly #nearness = new Map<number, ClassNearness>()
  readonly #latestModel = new Map<number, SoftmaxModel>()

  constructor(
    engine: TensorEngine,
    set: TrainingSet,
    samples: SoftmaxSamples,
    folds: Int32Array,
    limits: FitLimits,
    options: TrainingOptions
  ) {
    this.#engine = engine
    this.#set = set
    this.#samples = samples
    this.#folds = folds
    this.#limits = limits
    this.#options = options
  }

  sampleCount(fold: number): number {
    return this.#folds.reduce((count, of) => count + (of === fold ? 1 : 0), 0)
  }

  async heldOut(fold: number, penaltyIndex: number): Promise<HeldOut> {
    const key = `${fold} ${penaltyIndex}`
    const known = this.#done.get(key)
    if (known !== undefined) return known
    this.#options.signal?.throwIfAborted()
    const { labels, classCount } = this.#set
    const { heldOut, trained } = splitByFold(this.#folds, fold)
    const start = this.#latestModel.get(fold)
    const { model } = await fitSoftmax(
      this.#engine,
      takeSamples(this.#samples, trained),
      Int32Array.from(trained, (sample) => labels[sample]!),
      classCount,
      { penalty: PENALTIES[penaltyIndex]!, ...this.#limits, ...(start === undefined ? {} : { start }) }
    )
    const seen = groupByClass(this.#set, labels, classCount, trained)
    const asked = takeTexts(this.#set, heldOut)
    const nearness = this.#nearness.get(fold) ?? new ClassNearness(this.#engine, seen, asked)
    this.#nearness.set(fold, nearness)
    const candidates = await findCandidates(this.#engine, model, seen, asked, nearness)
    const result = { model, samples: heldOut, labels: Int32Array.from(heldOut, (i) => labels[i]!), candidates }
    this.#latestModel.set(fold, model)
    this.#done.set(key, result)
    // Some folds are fitted with two or three strengths, the others with one; then comes the final fit.
    this.#options.onProgress?.(Math.min(0.95, this.#done.size / ((this.#options.foldCount ?? 5) + 4)))
    return result
  }
}

/** Moves from the middle regularization strength towards the better neighbour as long as the log loss falls. */
export async function choosePenalty(validation: Validation, usableFolds: readonly number[]): Promise<number> {
  const folds: number[] = []
  let sampleCount = 0
  for (const fold of usableFolds) {
    if (sampleCount >= SAMPLES_TO_CHOOSE_PENALTY) break
    folds.push(fold)
    sampleCount += validation.sampleCount(fold)
  }
  if (folds.length === 0) return FIRST_PENALTY
  const lossAt = async (penaltyIndex: number): Promise<number> => {
    if (penaltyIndex < 0 || penaltyIndex >= PENALTIES.length) return Infinity
    const held: HeldOut[] = []
    for (const fold of folds) held.push(await validation.heldOut(fold, penaltyIndex))
    const { candidates, labels } = joinHeldOut(held)
    const all = Int32Array.from(labels.keys())
    return meanLogLoss(candidates, labels, all, fitCalibration(candidates, labels, all))
  }
  let best = FIRST_PENALTY
  let loss = await lossAt(best)
  for (const direction of [1, -1]) {
    let next = await lossAt(best + direction)
    const hasImproved = next < loss
    while (next < loss) {
      best += direction
      loss = next
      next = await lossAt(best + direction)
    }
    if (hasImproved) break
  }
  return best
}

/** Concatenates held-out samples of several folds. */
export function joinHeldOut(held: readonly HeldOut[]): { candidates: Candidates; labels: Int32Array } {
  const parts = held.map((fold) => fold.candidates)
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  const width = parts[0]!.width
  const candidates = {
    count,
    width,
    classes: new Int32Array(count * width),
    logits: new Float64Array(count * width),
    similarities: new Float64Array(count * width),
    gramSimilarities: new Float64Array(count * width)
  }
  const labels = new Int32Array(count)
  let from = 0
  for (const fold of held) {
    candidates.classes.set(fold.candidates.classes, from * width)
    candidates.logits.set(fold.candidates.logits, from * width)
    candidates.similarities.set(fold.candidates.similarities, from * width)
    candidates.gramSimilarities.set(fold.candidates.gramSimilarities, from * width)
    labels.set(fold.labels, from)
    from += fold.candidates.count
  }
  return { candidates, labels }
}

function takeTexts({ features, grams }: EncodedTexts, indices: Int32Array): EncodedTexts {
  const { columns } = features
  const values = new Float32Array(indices.length * columns)
  for (const [i, index] of indices.entries()) {
    values.set(features.values.subarray(index * columns, (index + 1) * columns), i * columns)
  }
  const taken = { features: { values, rows: indices.length, columns } }
  return grams === undefined ? taken : { ...taken, grams: Array.from(indices, (index) => grams[index]!) }
}
