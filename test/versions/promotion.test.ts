/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decidePromotion, type Candidate } from '../../src/versions/promotion.ts'
import { sampleKey } from '../../src/learning/judgement.ts'

/** Judged on samples `from` up to `to`, the first `wrongCount` of them wrong. */
function judged(from: number, to: number, wrongCount: number, architecture: Candidate['architecture'] = 'softmax') {
  const samples = Array.from({ length: to - from }, (_, i) => ({ sample: `s${from + i}`, isRight: i >= wrongCount }))
  return { architecture, judgements: samples }
}

test('decidePromotion() lets pass what is worse by the margin, and nothing below', () => {
  assert.equal(decidePromotion(judged(0, 100, 10), judged(0, 100, 12), 0.02).outcome, 'promoted')
  const refused = decidePromotion(judged(0, 100, 10), judged(0, 100, 13), 0.02)
  assert.deepEqual(refused, {
    outcome: 'refused',
    reason:
      'of 100 samples that both were judged on it has 87.0% right, the live version 90.0%; at most 2.0% less is let pass'
  })
})

test('decidePromotion() compares what both were judged on, and nothing else', () => {
  // All that is wrong lies outside of what the live version was judged on.
  assert.equal(decidePromotion(judged(50, 150, 0), judged(0, 100, 50), 0).outcome, 'promoted')
  assert.equal(decidePromotion(judged(0, 100, 0), judged(0, 100, 50), 0).outcome, 'refused')
})

test('decidePromotion() lets pass a first version, another architecture, and what cannot be compared', () => {
  assert.equal(decidePromotion(undefined, judged(0, 100, 100), 0).outcome, 'promoted')
  assert.equal(decidePromotion(judged(0, 100, 0), judged(0, 100, 100, 'ridge'), 0).outcome, 'promoted')
  assert.equal(decidePromotion(judged(0, 19, 0), judged(0, 19, 19), 0).outcome, 'promoted')
  assert.equal(decidePromotion(judged(0, 20, 0), judged(0, 20, 20), 0).outcome, 'refused')
})

test('sampleKey() tells texts and answers apart', () => {
  assert.equal(sampleKey('a', 'b'), sampleKey('a', 'b'))
  assert.equal(new Set([sampleKey('a', 'b'), sampleKey('b', 'a'), sampleKey('a', 'c'), sampleKey('c', 'b')]).size, 4)
})
