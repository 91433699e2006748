/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchQueue, type QueuedSentence } from '../../src/embedding/batch-queue.ts'

interface Named extends QueuedSentence {
  readonly name: string
}

function sentence(name: string, tokenCount: number, options: Partial<QueuedSentence> = {}): Named {
  return { name, ids: new Int32Array(tokenCount), callerKey: 'a', lane: 'interactive', enqueuedMs: 0, ...options }
}

function filled(...sentences: readonly Named[]): BatchQueue<Named> {
  const queue = new BatchQueue<Named>()
  for (const each of sentences) queue.add(each)
  return queue
}

function drain(queue: BatchQueue<Named>, maxTokens: number): string[] {
  const batches: string[] = []
  while (queue.size > 0)
    batches.push(
      queue
        .takeBatch(maxTokens)
        .map(({ name }) => name)
        .join(' ')
    )
  return batches
}

test('takeBatch() puts sentences of one length together, oldest first', () => {
  const queue = filled(sentence('a5', 5), sentence('b7', 7), sentence('c5', 5), sentence('d7', 7), sentence('e5', 5))
  assert.deepEqual(drain(queue, 100), ['a5 c5 e5', 'b7 d7'])
})

test('takeBatch() stays within the token budget', () => {
  const queue = filled(sentence('a', 5), sentence('b', 5), sentence('c', 5))
  assert.deepEqual(drain(queue, 14), ['a b', 'c'])
})

test('takeBatch() takes a sentence above the budget alone', () => {
  const queue = filled(sentence('long', 20), sentence('other', 20))
  assert.deepEqual(drain(queue, 14), ['long', 'other'])
})

test('takeBatch() gives nothing when nothing waits', () => {
  assert.deepEqual(new BatchQueue<Named>().takeBatch(10), [])
})

test('takeBatch() serves the interactive lane first, and bulk at every fifth batch', () => {
  const bulk = { lane: 'bulk' } as const
  const queue = filled(
    ...Array.from({ length: 3 }, (_, index) => sentence(`bulk${index}`, 100, bulk)),
    ...Array.from({ length: 9 }, (_, index) => sentence(`now${index}`, index + 1))
  )
  const expected = 'now0 now1 now2 now3 bulk0 now4 now5 now6 now7 bulk1 now8 bulk2'.split(' ')
  assert.deepEqual(drain(queue, 50), expected)
})

test('takeBatch() lets bulk sentences of the same length ride along', () => {
  const queue = filled(sentence('bulk', 5, { lane: 'bulk' }), sentence('now', 5))
  assert.deepEqual(drain(queue, 10), ['now bulk'])
})

test('takeBatch() gives callers turns by the tokens they have had, not by how much they queue', () => {
  const flood = Array.from({ length: 6 }, (_, index) => sentence(`flood${index}`, 10 + index, { callerKey: 'flood' }))
  const others = [30, 31].map((tokens, index) => sentence(`other${index}`, tokens, { callerKey: 'other' }))
  const order = drain(filled(...flood, ...others), 10)
  assert.deepEqual(order, ['flood0', 'other0', 'flood1', 'flood2', 'other1', 'flood3', 'flood4', 'flood5'])
})

test('a caller gains nothing by leaving the queue and coming back', () => {
  const queue = filled(sentence('a0', 50, { callerKey: 'a' }))
  queue.takeBatch(1)
  queue.add(sentence('a1', 10, { callerKey: 'a' }))
  queue.add(sentence('b0', 20, { callerKey: 'b' }))
  queue.add(sentence('b1', 21, { callerKey: 'b' }))
  assert.deepEqual(drain(queue, 1), ['b0', 'b1', 'a1'])
})

test('remove() takes a sentence out, once', () => {
  const [first, second] = [sentence('first', 5), sentence('second', 5)]
  const queue = filled(first, second)
  assert.equal(queue.remove(first), true)
  assert.equal(queue.remove(first), false)
  assert.deepEqual([queue.size, queue.tokenCount], [1, 5])
  assert.deepEqual(drain(queue, 100), ['second'])
  assert.equal(queue.tokenCount, 0)
})

test('oldestMs is when the oldest of both lanes came', () => {
  const queue = filled(sentence('now', 5, { enqueuedMs: 30 }), sentence('bulk', 5, { enqueuedMs: 20, lane: 'bulk' }))
  assert.equal(queue.oldestMs, 20)
  queue.takeBatch(100)
  assert.equal(queue.oldestMs, undefined)
})
