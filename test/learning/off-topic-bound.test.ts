/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JudgedQuestion } from '../../src/learning/evaluation.ts'
import { CONFIDENCE_PRIOR, FORESIGHT_PRIOR } from '../../src/learning/foresight-prior.ts'
import { logOddsOf, shareOf } from '../../src/learning/foresight.ts'
import { lineWithin } from '../../src/learning/off-topic-bound.ts'

/** Questions on topic with confidences spread from 0.4 to 1, and others from 0 to 0.6. */
function judged(count: number): JudgedQuestion[] {
  return Array.from({ length: 2 * count }, (_, question) => {
    const isKnown = question < count
    const confidence = (isKnown ? 0.4 : 0) + (0.6 * (question % count)) / count
    return {
      question,
      label: isKnown ? 0 : undefined,
      ranked: [{ class: 0, confidence }],
      topicScore: confidence,
      isOffTopic: false
    }
  })
}

/** Share of the confidences of one kind below the line, as users' questions will show it. */
function refused(of: readonly JudgedQuestion[], line: number, isGood: boolean): number {
  const some = of.filter(({ label }) => (label !== undefined) === isGood)
  const below = some.filter(({ ranked }) => ranked[0]!.confidence < line).length / some.length
  const { shift } = isGood ? FORESIGHT_PRIOR.refused : FORESIGHT_PRIOR.offTopicRefused
  return below === 0 || below === 1 ? below : shareOf(logOddsOf(below) + shift)
}

test('lineWithin() answers enough, and refuses as much as that allows', () => {
  const many = judged(5000)
  for (const answerGood of [0.8, 0.95, 0.99]) {
    const line = lineWithin({ answerGood }, many)
    assert.ok(refused(many, line, true) <= 1 - answerGood + 0.002, `${answerGood}: ${line}`)
    assert.ok(refused(many, line + 0.02, true) > 1 - answerGood, `${answerGood}: ${line} could be greater`)
  }
})

test('lineWithin() refuses enough, and answers as much as that allows', () => {
  const many = judged(5000)
  for (const refuseNonsense of [0.5, 0.8, 0.95]) {
    const line = lineWithin({ refuseNonsense }, many)
    assert.ok(refused(many, line, false) >= refuseNonsense - 0.002, `${refuseNonsense}: ${line}`)
    assert.ok(refused(many, line - 0.02, false) < refuseNonsense, `${refuseNonsense}: ${line} could be less`)
  }
})

test('lineWithin() of a mentor that nothing is known of is where other mentors have it', () => {
  // Of 19 quantiles of 5% each, the first and the sixteenth.
  assert.ok(Math.abs(lineWithin({ answerGood: 0.95 }, []) - CONFIDENCE_PRIOR.good[0]) < 0.002)
  assert.ok(Math.abs(lineWithin({ refuseNonsense: 0.8 }, []) - CONFIDENCE_PRIOR.nonsense[15]) < 0.002)
})

test('lineWithin() never jumps when a mentor gets one more sample', () => {
  let before = lineWithin({ answerGood: 0.9 }, [])
  for (let count = 1; count < 100; count++) {
    const line = lineWithin({ answerGood: 0.9 }, judged(count))
    assert.ok(Math.abs(line - before) < 0.1, `${count} samples: ${before}, ${line}`)
    before = line
  }
})
