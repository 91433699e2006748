/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfidenceDrift, confidenceBins } from '../../src/learning/confidence-drift.ts'

/** Evenly spaced from 1/count to 1. */
function evenly(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index + 1) / count)
}

function driftOf(training: readonly number[], now: readonly number[]): number | undefined {
  const drift = new ConfidenceDrift(confidenceBins(training))
  for (const confidence of now) drift.add(confidence)
  return drift.stabilityIndex
}

test('confidenceBins() hold a tenth each, fewer bins where many are equal, and none of none', () => {
  const bins = confidenceBins(evenly(100).toReversed())
  assert.deepEqual(
    bins.map(({ upTo }) => upTo),
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, null]
  )
  for (const { share } of bins) assert.ok(Math.abs(share - 0.1) < 1e-12)
  assert.deepEqual(confidenceBins([0.2, 0.5, 0.5, 0.5]), [
    { upTo: 0.2, share: 0.25 },
    { upTo: 0.5, share: 0.75 },
    { upTo: null, share: 0 }
  ])
  assert.deepEqual(confidenceBins([]), [])
})

test('the stability index is nothing for the same confidences, and great for others', () => {
  assert.ok(driftOf(evenly(500), evenly(1000))! < 0.001)
  const halved = driftOf(
    evenly(500),
    evenly(1000).map((confidence) => confidence / 2)
  )
  // Five bins at 0.2 instead of 0.1, five near 0: 5 · 0.1 · ln 2, and 5 · 0.1 · ln (100 / (0.5 / 1.005)).
  assert.ok(Math.abs(halved! - (0.5 * Math.log(2) + 0.5 * Math.log(100.5 / 0.5))) < 0.02, String(halved))
})

test('the stability index waits for 200 predictions, looks back on 1000 and needs something to hold them against', () => {
  assert.equal(driftOf(evenly(500), evenly(199)), undefined)
  assert.ok(driftOf(evenly(500), evenly(200)) !== undefined)
  const low = Array<number>(5000).fill(0.01)
  assert.ok(driftOf(evenly(500), [...low, ...evenly(1000)])! < 0.001)
  assert.ok(driftOf(evenly(500), [...evenly(1000), ...low])! > 1)
  assert.equal(driftOf([], evenly(500)), undefined)
})
