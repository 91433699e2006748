/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { nearestOthers, sameNeighbourShare } from '../../../tools/bench/engine/nearest.ts'
import { createRandom, randomTokens } from '../../../tools/bench/engine/random-tokens.ts'

function unit(angle: number): Float32Array {
  return Float32Array.of(Math.cos(angle), Math.sin(angle))
}

test('nearestOthers() finds the most similar other vector, never the vector itself', () => {
  assert.deepEqual([...nearestOthers([unit(0), unit(0.1), unit(1), unit(1.05)])], [1, 0, 3, 2])
})

test('sameNeighbourShare() counts for whom the nearest other has stayed', () => {
  const before = [unit(0), unit(0.1), unit(1), unit(1.05)]
  const after = [unit(0), unit(0.1), unit(0.3), unit(1.05)]
  assert.equal(sameNeighbourShare(before, before), 1)
  assert.equal(sameNeighbourShare(before, after), 0.75)
})

test('randomTokens() gives rows of the wanted length between [CLS] and [SEP], the same in every run', () => {
  const ids = randomTokens(16, createRandom(7))
  assert.equal(ids.length, 16)
  assert.equal(ids[0], 101)
  assert.equal(ids.at(-1), 102)
  assert.ok(ids.subarray(1, -1).every((id) => id >= 2000 && id < 22_000))
  assert.deepEqual(ids, randomTokens(16, createRandom(7)))
  assert.notDeepEqual(ids, randomTokens(16, createRandom(8)))
})
