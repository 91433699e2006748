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

function of(callerKey: string, name: string, tokenCount: number): Named {
  return sentence(name, tokenCount, { callerKey })
}

function filled(...sentences: readonly Named[]): BatchQueue<Named> {
  const queue = new BatchQueue<Named>()
  for (const each of sentences) queue.add(each)
  return queue
}

function drain(queue: BatchQueue<Named>, maxSentences: number, maxTokens = 1000): string[] {
  const batches: string[] = []
  while (queue.size > 0)
    batches.push(
      queue
        .takeBatch(maxSentences, maxTokens)
        .map(({ name }) => name)
        .join(' ')
    )
  return batches
}

test('takeBatch() takes sentences of any length, oldest first, up to the number that a batch may have', () => {
  const queue = filled(...[5, 7, 5, 7, 5].map((tokens, index) => sentence(`${index}`, tokens)))
  assert.deepEqual(drain(queue, 4), ['0 1 2 3', '4'])
})

test('takeBatch() stays within the token budget', () => {
  const queue = filled(sentence('a', 5), sentence('b', 9), sentence('c', 1))
  assert.deepEqual(drain(queue, 4, 14), ['a b', 'c'])
})

test('takeBatch() takes a sentence above the budget alone', () => {
  const queue = filled(sentence('long', 20), sentence('other', 3))
  assert.deepEqual(drain(queue, 4, 14), ['long', 'other'])
})

test('takeBatch() gives nothing when nothing waits', () => {
  assert.deepEqual(new BatchQueue<Named>().takeBatch(4, 10), [])
})

test('takeBatch() serves the interactive lane first, and bulk at every fifth batch', () => {
  const bulk = { lane: 'bulk' } as const
  const queue = filled(
    ...Array.from({ length: 3 }, (_, index) => sentence(`bulk${index}`, 100, bulk)),
    ...Array.from({ length: 9 }, (_, index) => sentence(`now${index}`, index + 1))
  )
  const expected = 'now0 now1 now2 now3 bulk0 now4 now5 now6 now7 bulk1 now8 bulk2'.split(' ')
  assert.deepEqual(drain(queue, 1), expected)
})

test('takeBatch() adds to a batch sentences of its lane alone, which are no turn of theirs', () => {
  const bulk = { lane: 'bulk' } as const
  const queue = filled(
    sentence('bulk0', 1, bulk),
    sentence('bulk1', 1, bulk),
    ...Array.from({ length: 9 }, (_, index) => sentence(`now${index}`, 1))
  )
  const take = (addedTo?: 'interactive' | 'bulk') => queue.takeBatch(1, 1000, { ...(addedTo && { addedTo }) })[0]?.name
  const first = Array.from({ length: 4 }, () => take())
  assert.deepEqual(first, ['now0', 'now1', 'now2', 'now3'])
  assert.deepEqual([take('interactive'), take('interactive')], ['now4', 'now5'])
  // It is bulk's turn all the same, and a bulk batch grows by bulk work.
  assert.deepEqual([take(), take('bulk'), take('bulk'), take()], ['bulk0', 'bulk1', undefined, 'now6'])
})

test('takeBatch() gives bulk no turn while a bulk batch runs, and its turn afterwards', () => {
  const bulk = sentence('bulk', 100, { lane: 'bulk' })
  const queue = filled(bulk, ...Array.from({ length: 12 }, (_, index) => sentence(`now${index}`, 1)))
  const take = (isBulkRunning: boolean) => queue.takeBatch(1, 1000, { isBulkRunning })[0]?.name
  const whileRunning = Array.from({ length: 6 }, () => take(true))
  assert.deepEqual(whileRunning, ['now0', 'now1', 'now2', 'now3', 'now4', 'now5'])
  assert.deepEqual(
    Array.from({ length: 5 }, () => take(false)),
    ['now6', 'now7', 'now8', 'now9', 'bulk']
  )
})

test('takeBatch() never mixes lanes: a long bulk sentence would hold up who waits for an answer', () => {
  const queue = filled(sentence('bulk', 5, { lane: 'bulk' }), sentence('now', 5))
  assert.deepEqual(drain(queue, 4), ['now', 'bulk'])
})

test('takeBatch() gives callers turns by the tokens they have had, not by how much they queue', () => {
  const flood = Array.from({ length: 6 }, (_, index) => sentence(`flood${index}`, 10 + index, { callerKey: 'flood' }))
  const others = [30, 31].map((tokens, index) => sentence(`other${index}`, tokens, { callerKey: 'other' }))
  const order = drain(filled(...flood, ...others), 1)
  assert.deepEqual(order, ['flood0', 'other0', 'flood1', 'flood2', 'other1', 'flood3', 'flood4', 'flood5'])
})

test('a caller gains nothing by leaving the queue and coming back', () => {
  const queue = filled(sentence('a0', 50, { callerKey: 'a' }))
  queue.takeBatch(1, 1)
  queue.add(sentence('a1', 10, { callerKey: 'a' }))
  queue.add(sentence('b0', 20, { callerKey: 'b' }))
  queue.add(sentence('b1', 21, { callerKey: 'b' }))
  assert.deepEqual(drain(queue, 1), ['b0', 'b1', 'a1'])
})

test('a caller gains nothing by having been away while others were served', () => {
  const queue = filled(of('a', 'a0', 50))
  queue.takeBatch(1, 100)
  for (const each of [of('b', 'b0', 40), of('b', 'b1', 30), of('b', 'b2', 5)]) queue.add(each)
  assert.deepEqual(drain(queue, 1), ['b0', 'b1', 'b2'])
  // By now b has had 75 tokens and a 50; a begins where b's last one did, at 70.
  for (const each of [of('a', 'a1', 10), of('a', 'a2', 11), of('a', 'a3', 12), of('b', 'b3', 20), of('b', 'b4', 21)])
    queue.add(each)
  assert.deepEqual(drain(queue, 1), ['a1', 'b3', 'a2', 'a3', 'b4'])
})

test('remove() takes a sentence out, once', () => {
  const [first, second] = [sentence('first', 5), sentence('second', 5)]
  const queue = filled(first, second)
  assert.equal(queue.remove(first), true)
  assert.equal(queue.remove(first), false)
  assert.deepEqual([queue.size, queue.tokenCount], [1, 5])
  assert.deepEqual(drain(queue, 4), ['second'])
  assert.equal(queue.tokenCount, 0)
})

test('oldestMs is when the oldest of both lanes came', () => {
  const queue = filled(sentence('now', 5, { enqueuedMs: 30 }), sentence('bulk', 5, { enqueuedMs: 20, lane: 'bulk' }))
  assert.equal(queue.oldestMs, 20)
  queue.takeBatch(4, 100)
  queue.takeBatch(4, 100)
  assert.equal(queue.oldestMs, undefined)
})
