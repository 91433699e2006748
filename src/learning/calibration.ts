/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Candidates } from './candidates.ts'
import { minimizeByNewton, type Curve } from './newton.ts'

/**
 * Weights that turn logits and similarities into probabilities: p(class) = softmax over the candidates of `logitWeight
 * · logit + similarityWeight · similarity + gramWeight · gramSimilarity`. The logit's weight is 1 / temperature.
 */
export interface Calibration {
  readonly logitWeight: number
  readonly similarityWeight: number
  /** Weight of the similarity of character n-grams. */
  readonly gramWeight: number
}

/**
 * Used where nothing can be measured; with few samples it is the mean of the prior. Found on several data sets
 * (docs/classifier.md).
 */
export const DEFAULT_CALIBRATION: Calibration = { logitWeight: 1, similarityWeight: 5, gramWeight: 3 }

/**
 * Standard deviations of the prior over the weights. The prior counts as some hundreds of samples. With few samples,
 * out-of-fold predictions are too pessimistic: with one of three samples held out, a fold model knows two thirds of
 * what the final model will. With a prior of one sample's weight the calibration error at 2 samples a class is 0.12.
 */
const PRIOR_DEVIATIONS = [0.05, 0.5, 0.5] as const

/**
 * Fits the calibration to samples that the model was not trained on.
 *
 * Minimises Σ −log p(own class) over the weights, none below 0, with a Gaussian prior about {@link
 * DEFAULT_CALIBRATION}. A sample whose class is not a candidate counts as the last candidate, which lowers the
 * confidence in the others. With temperature alone this is temperature scaling (Guo et al. 2017, "On Calibration of
 * Modern Neural Networks"); the similarities to the class's nearest sample are added as further logits.
 *
 * @param labels class of each sample of the candidates
 * @param chosen positions of the samples to fit to
 * @param guess starting point; one that was fitted to most of the samples saves half of the steps
 */
export function fitCalibration(
  candidates: Candidates,
  labels: Int32Array,
  chosen: Int32Array,
  guess = DEFAULT_CALIBRATION
): Calibration {
  const isFree = PRIOR_DEVIATIONS.map(() => true)
  for (;;) {
    const start = weightsOf(guess).map((weight, j) => (isFree[j] === true ? weight : 0))
    const found = minimizeByNewton((weights) => calibrationCurve(candidates, labels, chosen, weights, isFree), start)
    // The loss is convex: where a weight becomes negative, the minimum is at 0.
    const below = found.findIndex((weight) => weight < 0)
    if (below < 0) return { logitWeight: found[0]!, similarityWeight: found[1]!, gramWeight: found[2]! }
    isFree[below] = false
  }
}

/** Mean of −log p(own class) over the chosen samples; natural logarithm. */
export function meanLogLoss(
  candidates: Candidates,
  labels: Int32Array,
  chosen: Int32Array,
  calibration: Calibration
): number {
  let sum = 0
  for (const i of chosen) {
    sum -= Math.log(Math.max(1e-12, probabilitiesOf(candidates, i, calibration)[ownPlace(candidates, i, labels[i]!)]!))
  }
  return sum / chosen.length
}

/**
 * Scores of the candidates of sample `i`, in their order; their softmax gives the probabilities.
 * @param into holds the result and is returned
 */
export function scoresOf(
  candidates: Candidates,
  i: number,
  { logitWeight, similarityWeight, gramWeight }: Calibration,
  into = new Float64Array(candidates.width)
): Float64Array {
  const { logits, similarities, gramSimilarities, width } = candidates
  for (let place = 0; place < width; place++) {
    const at = i * width + place
    into[place] = logitWeight * logits[at]! + similarityWeight * similarities[at]! + gramWeight * gramSimilarities[at]!
  }
  return into
}

/**
 * Probabilities of the candidates of sample `i`, in their order.
 * @param into holds the result and is returned
 */
export function probabilitiesOf(
  candidates: Candidates,
  i: number,
  calibration: Calibration,
  into = new Float64Array(candidates.width)
): Float64Array {
  const { width } = candidates
  scoresOf(candidates, i, calibration, into)
  let best = -Infinity
  for (let place = 0; place < width; place++) best = Math.max(best, into[place]!)
  let sum = 0
  for (let place = 0; place < width; place++) sum += into[place] = Math.exp(into[place]! - best)
  for (let place = 0; place < width; place++) into[place]! /= sum
  return into
}

function weightsOf({ logitWeight, similarityWeight, gramWeight }: Calibration): Float64Array {
  return Float64Array.of(logitWeight, similarityWeight, gramWeight)
}

/** Position of a class among a sample's candidates, or the last position. */
function ownPlace({ classes, width }: Candidates, i: number, label: number): number {
  for (let place = 0; place < width; place++) if (classes[i * width + place] === label) return place
  return width - 1
}

/** Loss of the calibration with its gradient and Hessian. A weight that is not free keeps its value: its derivatives are 0. */
function calibrationCurve(
  candidates: Candidates,
  labels: Int32Array,
  chosen: Int32Array,
  weights: Float64Array,
  isFree: readonly boolean[]
): Curve {
  const { width } = candidates
  const columns = [candidates.logits, candidates.similarities, candidates.gramSimilarities] as const
  const count = columns.length
  const calibration = { logitWeight: weights[0]!, similarityWeight: weights[1]!, gramWeight: weights[2]! }
  const gradient = new Float64Array(count)
  const hessian = new Float64Array(count * count)
  const means = new Float64Array(count)
  const probabilities = new Float64Array(width)
  let value = 0
  for (const i of chosen) {
    probabilitiesOf(candidates, i, calibration, probabilities)
    const own = ownPlace(candidates, i, labels[i]!)
    value -= Math.log(Math.max(1e-300, probabilities[own]!))
    means.fill(0)
    for (let place = 0; place < width; place++) {
      const at = i * width + place
      for (let j = 0; j < count; j++) {
        const weighted = probabilities[place]! * columns[j]![at]!
        means[j]! += weighted
        for (let k = 0; k <= j; k++) hessian[j * count + k]! += weighted * columns[k]![at]!
      }
    }
    for (let j = 0; j < count; j++) {
      gradient[j]! += means[j]! - columns[j]![i * width + own]!
      for (let k = 0; k <= j; k++) hessian[j * count + k]! -= means[j]! * means[k]!
    }
  }
  const usual = weightsOf(DEFAULT_CALIBRATION)
  for (let j = 0; j < count; j++) {
    const precision = 1 / PRIOR_DEVIATIONS[j]! ** 2
    const away = weights[j]! - usual[j]!
    if (isFree[j] === true) {
      value += 0.5 * precision * away * away
      gradient[j]! += precision * away
    } else {
      gradient[j] = 0
      for (let k = 0; k < count; k++) hessian[Math.max(j, k) * count + Math.min(j, k)] = 0
    }
    hessian[j * count + j]! += precision
  }
  return { value, gradient, hessian }
}
