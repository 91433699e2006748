/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_CALIBRATION, fitCalibration, meanLogLoss, probabilitiesOf } from '../../src/learning/calibration.ts'
import type { Candidates } from '../../src/learning/candidates.ts'
import { minimizeByNewton } from '../../src/learning/newton.ts'
import { seededRandom } from './clusters.ts'

const WIDTH = 4

/** Samples whose class is drawn with the probabilities that these weights give. */
function drawn(count: number, logitWeight: number, similarityWeight: number, gramWeight = 3) {
  const random = seededRandom(3)
  const candidates: Candidates = {
    count,
    width: WIDTH,
    classes: Int32Array.from({ length: count * WIDTH }, (_, i) => i % WIDTH),
    logits: Float64Array.from({ length: count * WIDTH }, () => 6 * random()),
    similarities: Float64Array.from({ length: count * WIDTH }, () => random()),
    gramSimilarities: Float64Array.from({ length: count * WIDTH }, () => random())
  }
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const probabilities = probabilitiesOf(candidates, i, { logitWeight, similarityWeight, gramWeight })
    let rest = random()
    const place = probabilities.findIndex((p) => (rest -= p) < 0)
    return place < 0 ? WIDTH - 1 : place
  })
  return { candidates, labels, all: Int32Array.from(labels.keys()) }
}

test('fitCalibration() finds the weights that made the data, of many samples', () => {
  for (const [logitWeight, similarityWeight, gramWeight] of [
    [0.6, 14, 1],
    [1.4, 6, 8]
  ] as const) {
    const { candidates, labels, all } = drawn(40_000, logitWeight, similarityWeight, gramWeight)
    const found = fitCalibration(candidates, labels, all)
    const far = { logitWeight: 0, similarityWeight: 9, gramWeight: 0 }
    const again = fitCalibration(candidates, labels, all, far)
    for (const weight of ['logitWeight', 'similarityWeight', 'gramWeight'] as const) {
      assert.ok(Math.abs(again[weight] - found[weight]) < 1e-5, `${again[weight]} from afar, ${found[weight]} wanted`)
    }
    assert.ok(Math.abs(found.logitWeight - logitWeight) < 0.05, `${found.logitWeight}`)
    assert.ok(Math.abs(found.similarityWeight - similarityWeight) < 0.6, `${found.similarityWeight}`)
    assert.ok(Math.abs(found.gramWeight - gramWeight) < 0.6, `${found.gramWeight}`)
  }
})

test('fitCalibration() gives no weight below 0 to what misleads', () => {
  const logits = drawn(40_000, -1, 10)
  const withoutLogits = fitCalibration(logits.candidates, logits.labels, logits.all)
  assert.equal(withoutLogits.logitWeight, 0)
  assert.ok(withoutLogits.similarityWeight > 0)
  const similarities = drawn(40_000, 1, -10)
  const withoutSimilarities = fitCalibration(similarities.candidates, similarities.labels, similarities.all)
  assert.equal(withoutSimilarities.similarityWeight, 0)
  assert.ok(withoutSimilarities.logitWeight > 0)
  const grams = drawn(40_000, -1, -10, 10)
  const gramsAlone = fitCalibration(grams.candidates, grams.labels, grams.all)
  assert.deepEqual([gramsAlone.logitWeight, gramsAlone.similarityWeight], [0, 0])
  assert.ok(gramsAlone.gramWeight > 0)
})

test('fitCalibration() of few samples stays near the default, and of none is the default', () => {
  const { candidates, labels, all } = drawn(10, 0.1, 1)
  const few = fitCalibration(candidates, labels, all)
  assert.ok(Math.abs(few.logitWeight - DEFAULT_CALIBRATION.logitWeight) < 0.1)
  assert.deepEqual(fitCalibration(candidates, labels, new Int32Array(0)), DEFAULT_CALIBRATION)
})

test('fitCalibration() is less sure when the right class is often no candidate', () => {
  const { candidates, labels, all } = drawn(4000, 1, 10)
  const missed = labels.map((label, i) => (i % 4 === 0 ? 99 : label))
  const sure = fitCalibration(candidates, labels, all)
  const unsure = fitCalibration(candidates, missed, all)
  const mean = (calibration: typeof sure) =>
    all.reduce((sum, i) => sum + Math.max(...probabilitiesOf(candidates, i, calibration)), 0) / all.length
  assert.ok(mean(unsure) < mean(sure) - 0.05)
})

test('probabilitiesOf() sums to 1 and withstands scores of any size', () => {
  const candidates = {
    count: 1,
    width: 3,
    classes: Int32Array.of(0, 1, 2),
    logits: Float64Array.of(2000, 1999, -2000),
    similarities: new Float64Array(3),
    gramSimilarities: new Float64Array(3)
  }
  const probabilities = probabilitiesOf(candidates, 0, { logitWeight: 1, similarityWeight: 0, gramWeight: 0 })
  assert.ok(Math.abs(probabilities[0]! - 1 / (1 + Math.exp(-1))) < 1e-12)
  assert.equal(probabilities[2], 0)
})

test('meanLogLoss() is the mean of −log of the probability of the own class', () => {
  const candidates = {
    count: 2,
    width: 2,
    classes: Int32Array.of(0, 1, 1, 0),
    logits: Float64Array.of(Math.log(3), 0, 0, 0),
    similarities: new Float64Array(4),
    gramSimilarities: new Float64Array(4)
  }
  const calibration = { logitWeight: 1, similarityWeight: 0, gramWeight: 0 }
  const loss = meanLogLoss(candidates, Int32Array.of(0, 0), Int32Array.of(0, 1), calibration)
  assert.ok(Math.abs(loss - (Math.log(4 / 3) + Math.log(2)) / 2) < 1e-12)
})

test('minimizeByNewton() finds the bottom of a curve that a full step overshoots', () => {
  // log(cosh(x − 2)): from −3 the first full step lands far beyond.
  const found = minimizeByNewton(([x = 0]) => {
    const away = x - 2
    return {
      value: Math.log(Math.cosh(away)),
      gradient: Float64Array.of(Math.tanh(away)),
      hessian: Float64Array.of(1 - Math.tanh(away) ** 2)
    }
  }, Float64Array.of(-3))
  assert.ok(Math.abs(found[0]! - 2) < 1e-4)
})
