/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUTHORIZED, buildTestApp, embeddingOf } from '../../test-app.ts'

function cosine(a: string, b: string): number {
  const [x, y] = [embeddingOf(a), embeddingOf(b)]
  let dot = 0
  for (const [index, value] of x.entries()) dot += value * (y[index] ?? 0)
  return dot / (Math.hypot(...x) * Math.hypot(...y))
}

test('POST /v1/encode/cos_sim_weight gives a number for one text on each side, in all four forms', async (t) => {
  const { app } = await buildTestApp(t)
  for (const [a, b] of [
    ['hello world', 'hi world'],
    [['hello world'], 'hi world'],
    ['hello world', ['hi world']],
    [['hello world'], ['hi world']]
  ]) {
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/encode/cos_sim_weight',
      headers: AUTHORIZED,
      payload: { a, b }
    })
    assert.equal(reply.json().cos_sim_weight, Number(reply.payload.match(/:(.*)\}$/)?.[1]))
    assert.ok(Math.abs(reply.json().cos_sim_weight - cosine('hello world', 'hi world')) < 1e-6)
  }
})

test('POST /v1/encode/cos_sim_weight gives a matrix of rows a and columns b for lists', async (t) => {
  const { app } = await buildTestApp(t)
  const send = async (a: unknown, b: unknown) =>
    (
      await app.inject({ method: 'POST', url: '/v1/encode/cos_sim_weight', headers: AUTHORIZED, payload: { a, b } })
    ).json()
  const matrix = (await send(['x', 'y'], ['x', 'y', 'z'])).cos_sim_weight
  for (const [row, a] of ['x', 'y'].entries()) {
    for (const [column, b] of ['x', 'y', 'z'].entries()) assert.ok(Math.abs(matrix[row][column] - cosine(a, b)) < 1e-6)
  }
  assert.equal(matrix[0][0], 1)
  assert.deepEqual((await send(['x', 'y'], 'x')).cos_sim_weight, [[matrix[0][0]], [matrix[1][0]]])
  assert.deepEqual((await send('x', ['x', 'y', 'z'])).cos_sim_weight, [matrix[0]])
  assert.deepEqual((await send([], ['x'])).cos_sim_weight, [])
  assert.deepEqual((await send(['x', 'y'], [])).cos_sim_weight, [[], []])
})

test('POST /v1/paraphrase gives each pair once, best first', async (t) => {
  const { app } = await buildTestApp(t)
  const sentences = ['a', 'b', 'a', 'c']
  const reply = await app.inject({ method: 'POST', url: '/v1/paraphrase', headers: AUTHORIZED, payload: { sentences } })
  const { pairs } = reply.json()
  assert.deepEqual(pairs[0], [1, 0, 2])
  assert.equal(pairs.length, 6)
  for (const [index, [score, i, j]] of pairs.entries()) {
    assert.ok(i < j)
    assert.ok(Math.abs(score - cosine(sentences[i] ?? '', sentences[j] ?? '')) < 1e-6)
    if (index > 0) assert.ok(score <= pairs[index - 1][0])
  }
  for (const few of [[], ['alone']]) {
    const none = await app.inject({
      method: 'POST',
      url: '/v1/paraphrase',
      headers: AUTHORIZED,
      payload: { sentences: few }
    })
    assert.deepEqual(none.json(), { pairs: [] })
  }
})
