/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { greatest } from './candidates.ts'
import type { JudgedQuestion } from './evaluation.ts'
import { splitByFold, stratifiedFolds } from './folds.ts'
import { fitSoftmax, prepareSamples, softmaxLogits, withRows, type SoftmaxModel } from './softmax.ts'
import type { FloatMatrix, TensorEngine } from './tensor-engine.ts'

/** Numbers of n rows, row-major, in their original precision. */
export interface NumberMatrix {
  readonly values: Float64Array
  readonly rows: number
  readonly columns: number
}

/** Scaling that gives each column mean 0 and variance 1. */
export interface Standardisation {
  readonly means: Float64Array
  /** Population standard deviation of each column; 1 for a constant column. */
  readonly scales: Float64Array
}

/** Training set of a logistic model: embeddings, numbers, or both, of the same rows. */
export interface LogisticSet {
  readonly embeddings: FloatMatrix | undefined
  readonly numbers: NumberMatrix | undefined
  /** Class of each row, 0 to classCount − 1. */
  readonly labels: Int32Array
  readonly classCount: number
  /**
   * Group of each row: equal rows are in one group, so that none is judged by a model that was trained on its
   * duplicate.
   */
  readonly groups: Int32Array
}

export interface LogisticOptions {
  /**
   * Inverse of the regularization strength.
   * @default 1 for numbers alone, as in scikit-learn; else the best of 1, 10 and 100 out of fold
   */
  readonly c?: number
  /** Called with the share that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void
  /** Checked between fits. */
  readonly signal?: AbortSignal
}

/** A fitted model: softmax of the embeddings and the standardised numbers. */
export interface LogisticModel {
  /** Softmax over the concatenated embedding and numbers. */
  readonly softmax: SoftmaxModel
  readonly standardisation: Standardisation
}

export interface TrainedLogistic extends LogisticModel {
  readonly c: number
  /** Out-of-fold judgements of the rows that could be held out. */
  readonly outOfFold: readonly JudgedQuestion[]
  /** Texts for people that say what could not be measured; empty when everything was. */
  readonly notMeasured: readonly string[]
}

const FOLDS = 5
const C_TRIED = [1, 10, 100] as const
/**
 * Usual C with texts. Embeddings have norm 1, while each standardised column has variance 1: they need weaker
 * regularization.
 */
const USUAL_C_OF_TEXT = 10
/** Number of ranked classes in an out-of-fold judgement. */
const RANKED_CLASSES = 5
/** Tight, since these fits are small and tests compare them with scikit-learn's. */
const GRADIENT_TOLERANCE = 1e-5
const MAX_EVALUATIONS = 500
/** Multiply-adds of one gradient above which C is not searched, only one fold is evaluated, and fits stop earlier. */
const LARGE_EVALUATION = 5e9
const LARGE_MAX_EVALUATIONS = 40

/**
 * Computes the scaling of some rows, in two passes, since a plain sum of squares would lose all digits of a column far
 * from 0. Source: scikit-learn `StandardScaler`.
 * @param indices rows to use
 */
export function fitStandardisation({ values, columns }: NumberMatrix, indices: ArrayLike<number>): Standardisation {
  const means = new Float64Array(columns)
  const scales = new Float64Array(columns)
  const count = indices.length
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < columns; j++) means[j]! += values[indices[i]! * columns + j]! / count
  }
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < columns; j++) {
      const distance = values[indices[i]! * columns + j]! - means[j]!
      scales[j]! += (distance * distance) / count
    }
  }
  for (let j = 0; j < columns; j++) scales[j] = Math.sqrt(scales[j]!) || 1
  return { means, scales }
}

/**
 * Fits multinomial logistic regression to embeddings and standardised numbers, and evaluates it out of fold; in each
 * fold the standardisation too uses the other folds only.
 * Source: scikit-learn `Pipeline(StandardScaler, LogisticRegression(C))`. For two classes scikit-learn fits one row of
 * coefficients w, softmax two; at the minimum these are ±w/2, whose squares sum to half of w's, hence twice the
 * regularization strength.
 */
export async function trainLogistic(
  engine: TensorEngine,
  set: LogisticSet,
  options: LogisticOptions = {}
): Promise<TrainedLogistic> {
  const { labels, classCount, groups } = set
  const columns = (set.embeddings?.columns ?? 0) + (set.numbers?.columns ?? 0)
  const isLarge = labels.length * classCount * columns > LARGE_EVALUATION
  const folds = stratifiedFolds(labels, FOLDS, groups)
  const usable = Array.from({ length: FOLDS }, (_, fold) => fold).filter((fold) => folds.includes(fold))
  const measured = isLarge ? usable.slice(0, 1) : usable
  const tried = candidatesForC(set, isLarge || measured.length === 0, options.c)
  const stepCount = tried.length * measured.length + 1
  let stepsDone = 0
  const step = () => {
    stepsDone += 1
    options.onProgress?.(stepsDone / stepCount)
    options.signal?.throwIfAborted()
  }
  const all = Int32Array.from(labels.keys())
  const standardisation = standardisationOf(set, all)
  // All fits share one preconditioner: computing one takes time by the cube of the columns.
  const samples = await prepareSamples(engine, takeFeatures(set, standardisation, all))
  const fit = async (indices: Int32Array, c: number, start: SoftmaxModel | undefined): Promise<LogisticModel> => {
    const ofRows = standardisationOf(set, indices)
    const rows = withRows(samples, takeFeatures(set, ofRows, indices))
    const { model: softmax } = await fitSoftmax(
      engine,
      rows,
      Int32Array.from(indices, (row) => labels[row]!),
      classCount,
      {
        penalty: (classCount === 2 ? 2 : 1) / c,
        gradientTolerance: GRADIENT_TOLERANCE,
        maxEvaluations: isLarge ? LARGE_MAX_EVALUATIONS : MAX_EVALUATIONS,
        ...(start !== undefined && { start })
      }
    )
    return { softmax, standardisation: ofRows }
  }
  let best: { c: number; loss: number; judged: readonly JudgedQuestion[]; start: SoftmaxModel | undefined } | undefined
  const latest = new Map<number, SoftmaxModel>()
  for (const c of tried) {
    const judged: JudgedQuestion[] = []
    let loss = 0
    for (const fold of measured) {
      const { heldOut, trained } = splitByFold(folds, fold)
      const model = await fit(trained, c, latest.get(fold))
      latest.set(fold, model.softmax)
      loss += await judge(engine, set, model, heldOut, judged)
      step()
    }
    if (best === undefined || loss < best.loss) best = { c, loss, judged, start: latest.get(measured[0] ?? -1) }
  }
  const { c, judged, start } = best!
  const model = await fit(all, c, start)
  step()
  return { ...model, c, outOfFold: judged, notMeasured: describeGaps(set, judged, isLarge) }
}

function standardisationOf({ numbers }: LogisticSet, indices: Int32Array): Standardisation {
  return numbers === undefined
    ? { means: new Float64Array(0), scales: new Float64Array(0) }
    : fitStandardisation(numbers, indices)
}

function candidatesForC(
  { embeddings }: LogisticSet,
  isUsualTaken: boolean,
  given: number | undefined
): readonly number[] {
  if (given !== undefined) return [given]
  if (embeddings === undefined) return [1]
  return isUsualTaken ? [USUAL_C_OF_TEXT] : C_TRIED
}

/** Concatenates embeddings and standardised numbers of some rows. */
function takeFeatures(
  { embeddings, numbers }: LogisticSet,
  { means, scales }: Standardisation,
  indices: Int32Array
): FloatMatrix {
  const embeddingColumns = embeddings?.columns ?? 0
  const numberColumns = numbers?.columns ?? 0
  const columns = embeddingColumns + numberColumns
  const values = new Float32Array(indices.length * columns)
  for (const [i, row] of indices.entries()) {
    if (embeddings !== undefined) {
      values.set(embeddings.values.subarray(row * embeddingColumns, (row + 1) * embeddingColumns), i * columns)
    }
    if (numbers === undefined) continue
    for (let j = 0; j < numberColumns; j++) {
      values[i * columns + embeddingColumns + j] = (numbers.values[row * numberColumns + j]! - means[j]!) / scales[j]!
    }
  }
  return { values, rows: indices.length, columns }
}

/** Adds the judgements of held-out rows. @returns the sum of −log p(own class) */
async function judge(
  engine: TensorEngine,
  set: LogisticSet,
  { softmax, standardisation }: LogisticModel,
  heldOut: Int32Array,
  judged: JudgedQuestion[]
): Promise<number> {
  const logits = await softmaxLogits(engine, softmax, takeFeatures(set, standardisation, heldOut))
  let loss = 0
  for (const [i, row] of heldOut.entries()) {
    const probabilities = softmaxOf(logits.values.subarray(i * logits.columns, (i + 1) * logits.columns))
    const label = set.labels[row]!
    loss -= Math.log(Math.max(1e-12, probabilities[label]!))
    const ranked = greatest(probabilities, RANKED_CLASSES).map((k) => ({ class: k, confidence: probabilities[k]! }))
    judged.push({ question: row, label, ranked, topicScore: ranked[0]!.confidence, isOffTopic: false })
  }
  return loss
}

/** Softmax of logits, in double precision. */
export function softmaxOf(logits: ArrayLike<number>): Float64Array {
  let greatestLogit = -Infinity
  for (let k = 0; k < logits.length; k++) greatestLogit = Math.max(greatestLogit, logits[k]!)
  const probabilities = Float64Array.from(logits, (logit) => Math.exp(logit - greatestLogit))
  const sum = probabilities.reduce((total, weight) => total + weight, 0)
  return probabilities.map((weight) => weight / sum)
}

function describeGaps(
  { labels, classCount }: LogisticSet,
  judged: readonly JudgedQuestion[],
  isLarge: boolean
): string[] {
  if (judged.length === 0) return ['Accuracy and calibration are not measured: no class has two different rows.']
  const gaps = ['Off-topic questions are not told apart: every row gets its likeliest class.']
  if (isLarge) gaps.push('Measured on one fold only: the table is too large for more.')
  const single = classCount - new Set(judged.map(({ label }) => label)).size
  if (single > 0 && !isLarge) {
    gaps.push(
      `${single} of ${classCount} classes have no two different rows: they are trained on but not measured ` +
        `(${labels.length} rows in all).`
    )
  }
  return gaps
}
