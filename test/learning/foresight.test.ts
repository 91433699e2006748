/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate, type EvaluationReport, type JudgedQuestion } from '../../src/learning/evaluation.ts'
import { foresee, logOddsOf, measuredShare, type ForesightPrior } from '../../src/learning/foresight.ts'

const NOTHING = { slope: 1, shift: 0, fewSamples: 0, deviation: 0 }
const still: ForesightPrior = {
  accuracy: NOTHING,
  refused: NOTHING,
  offTopicRefused: NOTHING,
  offTopicAuroc: NOTHING,
  calibrationError: NOTHING
}

/** Of `count` questions on topic and as many off: four of five right, one of ten refused, three of four of the others. */
function report(count: number): EvaluationReport {
  const judged = Array.from({ length: 2 * count }, (_, question): JudgedQuestion => {
    const isKnown = question < count
    const i = question % count
    const isOffTopic = isKnown ? i % 10 === 0 : i % 4 !== 0
    const confidence = (isOffTopic ? 0 : 0.5) + (0.4 * (i % 7)) / 7
    return {
      question,
      label: isKnown ? 0 : undefined,
      ranked: [{ class: i % 5 === 1 ? 1 : 0, confidence }],
      topicScore: confidence,
      isOffTopic
    }
  })
  return evaluate(judged, true)
}

test('foresee() holds the figure itself, and is the surer the more samples there were', () => {
  const [few, many] = [foresee(report(40), still), foresee(report(4000), still)]
  for (const [figure, interval] of Object.entries(few)) {
    assert.ok(interval !== null && interval.low < interval.high, figure)
  }
  assert.ok(many.accuracy!.low < 0.8 && many.accuracy!.high > 0.8)
  assert.ok(few.accuracy!.high - few.accuracy!.low > 1.5 * (many.accuracy!.high - many.accuracy!.low))
  // The users' questions are as few as ever: of 200 right ones in five, 90% of the time the share lies within 0.047 of 0.8.
  assert.ok(Math.abs(many.accuracy!.high - many.accuracy!.low - 2 * 0.047) < 0.01)
})

test('foresee() moves a figure by what it moved for other mentors, and is as unsure as they differ', () => {
  const given = report(400)
  const moved = foresee(given, { ...still, refused: { ...NOTHING, shift: 1 } }).refused!
  const unsure = foresee(given, { ...still, refused: { ...NOTHING, shift: 1, deviation: 0.8 } }).refused!
  // One of ten refused are odds of 1 to 9; e times that are 0.23.
  assert.ok(moved.low < 0.23 && moved.high > 0.23 && moved.low > 0.1)
  assert.ok(unsure.low < moved.low && unsure.high > moved.high)
})

test('foresee() counts on chance in as many questions as are asked', () => {
  const given = report(4000)
  const few = foresee(given, still, { known: 20, offTopic: 20 })
  const many = foresee(given, still, { known: 2000, offTopic: 2000 })
  for (const figure of ['accuracy', 'refused', 'offTopicRefused', 'offTopicAuroc', 'calibrationError'] as const) {
    const width = ({ [figure]: interval }: typeof few) => interval!.high - interval!.low
    assert.ok(width(few) > 3 * width(many), figure)
  }
  // Four of five are right: of 20 questions 13 to 19, by the binomial distribution.
  assert.deepEqual(few.accuracy, { low: 13 / 20, high: 19 / 20 })
})

test('foresee() does without the held-out figure where that says nothing, and with the number of samples', () => {
  const prior = { slope: 0, shift: -2, fewSamples: 4, deviation: 0.2 }
  const middle = (count: number, calibrationError: number): number => {
    const { low, high } = foresee(
      { ...report(count), calibrationError },
      { ...still, calibrationError: prior }
    ).calibrationError!
    return (logOddsOf(low) + logOddsOf(high)) / 2
  }
  assert.equal(middle(400, 0.05), middle(400, 0.25))
  assert.ok(Math.abs(middle(400, 0.1) + 1.8) < 1e-9 && Math.abs(middle(25, 0.1) + 1.2) < 1e-9)
})

test('foresee() says nothing of what was not measured', () => {
  const nothing = foresee(evaluate([], true))
  assert.deepEqual(Object.values(nothing), [null, null, null, null, null])
})

test('measuredShare() of a share of all is finite', () => {
  const all = { ...report(40), accuracy: 1, refused: 0 }
  for (const figure of ['accuracy', 'refused', 'offTopicAuroc'] as const) {
    const { logOdds, variance } = measuredShare(all, figure)!
    assert.ok(Number.isFinite(logOdds) && Number.isFinite(variance) && variance > 0, figure)
  }
})
