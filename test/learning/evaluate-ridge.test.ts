/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate } from '../../src/learning/evaluation.ts'
import { judgeRidgeOutOfFold } from '../../src/learning/evaluate-ridge.ts'
import { clusters, samplesWhere } from './clusters.ts'

test('judgeRidgeOutOfFold() judges every sample once, by models that have not seen it', () => {
  const set = clusters(6, 120)
  const judged = judgeRidgeOutOfFold(set, 5, -0.631)
  assert.deepEqual(
    judged.map((one) => one.question).toSorted((a, b) => a - b),
    [...set.labels.keys()]
  )
  const report = evaluate(judged, false)
  assert.ok(report.accuracy! > 0.8 && report.accuracy! <= 1)
  assert.equal(report.calibrationError, null)
})

test('judgeRidgeOutOfFold() of shuffled labels is no better than guessing: nothing leaks', () => {
  const set = clusters(4, 200)
  const shuffled = { ...set, labels: set.labels.map((_, i) => Math.floor(i / 50)) }
  assert.ok(evaluate(judgeRidgeOutOfFold(shuffled, 5, -0.631), false).accuracy! < 0.4)
})

test('judgeRidgeOutOfFold() marks what falls below the threshold', () => {
  const judged = judgeRidgeOutOfFold(clusters(6, 60), 3, 0.2)
  assert.ok(judged.some((one) => one.isOffTopic) && judged.some((one) => !one.isOffTopic))
  for (const one of judged) assert.equal(one.isOffTopic, one.topicScore < 0.2)
})

test('judgeRidgeOutOfFold() works for two classes and has nothing to judge of single samples', () => {
  const two = { ...samplesWhere(clusters(6, 60), (label) => label < 2), classCount: 2 }
  assert.ok(evaluate(judgeRidgeOutOfFold(two, 5, -9), false).accuracy! > 0.9)
  assert.deepEqual(judgeRidgeOutOfFold(clusters(6, 6), 5, -9), [])
})
