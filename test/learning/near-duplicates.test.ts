/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { findNearDuplicates } from '../../src/learning/near-duplicates.ts'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { trainingSamples } from '../../src/answering/mentor-samples.ts'
import { answer } from '../mentor/mentors.ts'

const engine = await TensorEngine.create()
after(() => engine[Symbol.asyncDispose]())

const samples = trainingSamples([
  answer('a', 'one', { question: { paraphrases: ['first', 'same'] } }),
  answer('b', 'two', { question: { paraphrases: ['same'] } })
])
/** A unit vector at each angle, in degrees. */
function atAngles(...degrees: number[]) {
  const values = Float32Array.from(
    degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)])
  )
  return { values, rows: degrees.length, columns: 2 }
}

test('findNearDuplicates() finds near phrases of different answers, the nearest first', async () => {
  // one, first, same | two, same
  const found = await findNearDuplicates(engine, samples, atAngles(0, 2, 50, 5, 50), { minSimilarity: 0.95 })
  assert.deepEqual(
    found.map(({ phrases, answerIds }) => [phrases, answerIds]),
    [
      [
        ['first', 'two'],
        ['a', 'b']
      ],
      [
        ['one', 'two'],
        ['a', 'b']
      ]
    ]
  )
  assert.ok(Math.abs(found[0]!.similarity - Math.cos((3 * Math.PI) / 180)) < 1e-6)
})

test('findNearDuplicates() gives no more than asked for', async () => {
  const found = await findNearDuplicates(engine, samples, atAngles(0, 2, 50, 5, 50), { maxFindings: 1 })
  assert.deepEqual(
    found.map(({ phrases }) => phrases[0]),
    ['first']
  )
})

test('findNearDuplicates() looks beyond one block of rows', async () => {
  const many = Array.from({ length: 1200 }, (_, i) => answer(`a${i}`, `question ${i}`))
  const values = new Float32Array(1200 * 1200)
  for (let i = 0; i < 1200; i++) values[i * 1200 + i] = 1
  values.copyWithin(1100 * 1200, 10 * 1200, 11 * 1200)
  values.copyWithin(1150 * 1200, 600 * 1200, 601 * 1200)
  const found = await findNearDuplicates(engine, trainingSamples(many), { values, rows: 1200, columns: 1200 })
  assert.deepEqual(
    found.map(({ answerIds }) => answerIds),
    [
      ['a10', 'a1100'],
      ['a600', 'a1150']
    ]
  )
})

test('findNearDuplicates() refuses embeddings of other texts', async () => {
  await assert.rejects(findNearDuplicates(engine, samples, atAngles(0)), /1 embeddings of 5 texts/)
})
