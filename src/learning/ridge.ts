/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { argmax, choleskyInPlace, choleskySolveInPlace, lowerGram, type Matrix } from './matrix.ts'

/** A fitted one-versus-rest ridge classifier. */
export interface RidgeModel {
  readonly classCount: number
  readonly dimensions: number
  /**
   * Rows × dimensions, row-major: one row for each class; for one or two classes a single row, whose positive scores
   * mean the last class.
   */
  readonly coefficients: Float64Array
  /** One intercept for each row of coefficients. */
  readonly intercepts: Float64Array
}

/**
 * Fits one-versus-rest ridge regression.
 *
 * Solves (XᵀX + αI) W = XᵀY, X and Y centred so that the intercept is not penalised; Y is +1 for a sample's class, else
 * −1. With fewer samples than dimensions the dual W = Xᵀ(XXᵀ + αI)⁻¹Y is solved instead: the same solution from the
 * smaller matrix. Two classes share one row, positive for class 1. For a single class the decision score is −1
 * everywhere, as in scikit-learn.
 * Shapes: features n × d, labels n. Cost: O(n·d² + d³), dual O(n²·d + n³).
 * Source: scikit-learn `RidgeClassifier`, solver `cholesky`.
 * @param labels class of each row, 0 to classCount − 1
 * @param classCount number of classes; each must have a sample
 * @param alpha regularization strength, above 0
 * @throws RangeError when the numbers of labels and rows differ, there is no row, a class has no sample, a value is not finite or
 *   alpha is not above 0
 */
export function fitRidge(features: Matrix, labels: Int32Array, classCount: number, alpha = 1): RidgeModel {
  const { rows, columns: dimensions } = features
  const sampleCounts = countSamples(features, labels, classCount)
  if (!(alpha > 0)) throw new RangeError(`Cannot fit ridge: alpha is ${alpha}, above 0 wanted`)
  const means = columnMeans(features)
  const targetCount = classCount > 2 ? classCount : 1
  const targetMeans = new Float64Array(targetCount)
  for (let target = 0; target < targetCount; target++) {
    const positives = classCount > 2 ? sampleCounts[target]! : classCount === 2 ? sampleCounts[1]! : 0
    targetMeans[target] = (2 * positives) / rows - 1
  }
  const coefficients =
    rows < dimensions
      ? solveDual(features, means, labels, targetMeans, alpha)
      : solvePrimal(features, means, labels, targetCount, alpha)
  const intercepts = targetMeans.map((mean, target) => {
    let shift = 0
    for (let j = 0; j < dimensions; j++) shift += means[j]! * coefficients[target * dimensions + j]!
    return mean - shift
  })
  return { classCount, dimensions, coefficients, intercepts }
}

/**
 * Decision scores of one embedding: one for each class, or a single one for one or two classes.
 * @throws RangeError when the embedding does not have the model's dimensions
 */
export function ridgeDecisionValues(model: RidgeModel, embedding: ArrayLike<number>): Float64Array {
  const { dimensions, coefficients } = model
  if (embedding.length !== dimensions) {
    throw new RangeError(`Cannot classify: the embedding has ${embedding.length} dimensions, the model ${dimensions}`)
  }
  return model.intercepts.map((intercept, target) => {
    let sum = 0
    for (let j = 0; j < dimensions; j++) sum += coefficients[target * dimensions + j]! * embedding[j]!
    return sum + intercept
  })
}

/** The predicted class: the first of the greatest scores; for two classes, class 1 when the single score is above 0. */
export function ridgeClass(decisionValues: Float64Array, classCount: number): number {
  if (classCount > 2) return argmax(decisionValues)
  return classCount === 2 && decisionValues[0]! > 0 ? 1 : 0
}

function countSamples(features: Matrix, labels: Int32Array, classCount: number): Int32Array {
  if (features.rows !== labels.length) {
    throw new RangeError(`Cannot fit ridge: ${features.rows} rows but ${labels.length} labels`)
  }
  if (labels.length === 0) throw new RangeError('Cannot fit ridge: no samples')
  const counts = new Int32Array(classCount)
  for (const label of labels) {
    if (label < 0 || label >= classCount)
      throw new RangeError(`Cannot fit ridge: label ${label} of ${classCount} classes`)
    counts[label]! += 1
  }
  const empty = counts.indexOf(0)
  if (empty >= 0) throw new RangeError(`Cannot fit ridge: class ${empty} has no sample`)
  for (const value of features.values) {
    if (!Number.isFinite(value)) throw new RangeError('Cannot fit ridge: a feature is not a finite number')
  }
  return counts
}

function columnMeans(features: Matrix): Float64Array {
  const { values, rows, columns } = features
  const means = new Float64Array(columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) means[j]! += values[i * columns + j]!
  return means.map((sum) => sum / rows)
}

/** +1 when `label` is the positive class of `target`, else −1. */
function signOf(label: number, target: number, targetCount: number): number {
  return targetCount > 1 ? (label === target ? 1 : -1) : label === 1 ? 1 : -1
}

/** Coefficients, targets × d, from the d × d normal equations. */
function solvePrimal(
  features: Matrix,
  means: Float64Array,
  labels: Int32Array,
  targetCount: number,
  alpha: number
): Float64Array {
  const { values, rows, columns: dimensions } = features
  const transposed = new Float64Array(dimensions * rows)
  const right = new Float64Array(dimensions * targetCount)
  for (let i = 0; i < rows; i++) {
    const label = labels[i]!
    for (let j = 0; j < dimensions; j++) {
      const value = values[i * dimensions + j]! - means[j]!
      transposed[j * rows + i] = value
      // The columns of centred X sum to 0, so the constant parts of Y cancel in XᵀY and only 2·(sum over the class)
      // remains.
      if (targetCount > 1) right[j * targetCount + label]! += 2 * value
      else if (label === 1) right[j]! += 2 * value
    }
  }
  const normal = lowerGram(transposed, dimensions, rows)
  for (let j = 0; j < dimensions; j++) normal[j * dimensions + j]! += alpha
  choleskyInPlace(normal, dimensions)
  choleskySolveInPlace(normal, dimensions, right, targetCount)
  const coefficients = new Float64Array(targetCount * dimensions)
  for (let j = 0; j < dimensions; j++) {
    for (let target = 0; target < targetCount; target++) {
      coefficients[target * dimensions + j] = right[j * targetCount + target]!
    }
  }
  return coefficients
}

/** Coefficients, targets × d, from the n × n kernel. */
function solveDual(
  features: Matrix,
  means: Float64Array,
  labels: Int32Array,
  targetMeans: Float64Array,
  alpha: number
): Float64Array {
  const { values, rows, columns: dimensions } = features
  const targetCount = targetMeans.length
  const centred = new Float64Array(values.length)
  const right = new Float64Array(rows * targetCount)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < dimensions; j++) centred[i * dimensions + j] = values[i * dimensions + j]! - means[j]!
    for (let target = 0; target < targetCount; target++) {
      right[i * targetCount + target] = signOf(labels[i]!, target, targetCount) - targetMeans[target]!
    }
  }
  const kernel = lowerGram(centred, rows, dimensions)
  for (let i = 0; i < rows; i++) kernel[i * rows + i]! += alpha
  choleskyInPlace(kernel, rows)
  choleskySolveInPlace(kernel, rows, right, targetCount)
  const coefficients = new Float64Array(targetCount * dimensions)
  for (let target = 0; target < targetCount; target++) {
    for (let i = 0; i < rows; i++) {
      const weight = right[i * targetCount + target]!
      for (let j = 0; j < dimensions; j++) {
        coefficients[target * dimensions + j]! += weight * centred[i * dimensions + j]!
      }
    }
  }
  return coefficients
}
