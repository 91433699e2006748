/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { nearestOthers, sameNeighbourShare } from '../../../tools/bench/engine/nearest.ts'
import { summarize } from '../../../tools/bench/engine/profile.ts'
import { createRandom, randomTokens } from '../../../tools/bench/engine/random-tokens.ts'

function unit(angle: number): Float32Array {
  return Float32Array.of(Math.cos(angle), Math.sin(angle))
}

/** An event of onnxruntime's trace. */
function kernel(operator: string, dur: number): object {
  return { cat: 'Node', name: 'node_kernel_time', dur, args: { op_name: operator } }
}

/** The events of one run of a graph with two additions and a product. */
function runOf(add: number, product: number): object[] {
  return [
    { cat: 'Session', name: 'model_run', dur: 99 },
    kernel('Add', add),
    kernel('Add', add),
    kernel('MatMul', product)
  ]
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

test('summarize() takes the mean of a run over the second half of the runs, by operator', () => {
  const trace = [...runOf(1000, 1000), ...runOf(1000, 1000), ...runOf(1, 10), ...runOf(3, 30)]
  assert.deepEqual(summarize(trace, 4), [
    { name: 'MatMul', nodeCount: 1, microseconds: 20 },
    { name: 'Add', nodeCount: 2, microseconds: 4 }
  ])
})

test('summarize() refuses a trace of another form', () => {
  assert.throws(() => summarize({ traceEvents: [] }, 1), /another form/)
})
