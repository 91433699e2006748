/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mineParaphrases, type ParaphrasePair } from '../../src/embedding/paraphrase-mining.ts'
import { cosineOf, dotProduct, rowCount, rowNorms, type Rows } from '../../src/embedding/similarity.ts'
import { countTurns } from './count-turns.ts'
import { randomRows } from './random-rows.ts'

/** The same by the definition: all pairs, sorted. */
function allPairs(rows: Rows, topK: number, maxPairs: number): ParaphrasePair[] {
  const norms = rowNorms(rows)
  const scoreOf = (i: number, j: number) => {
    const dot = dotProduct(rows.values, i * rows.dimensions, rows.values, j * rows.dimensions, rows.dimensions)
    return cosineOf(dot, norms[i] ?? 0, norms[j] ?? 0)
  }
  const found = new Map<string, ParaphrasePair>()
  for (let row = 0; row < rowCount(rows); row += 1) {
    const others = Array.from({ length: rowCount(rows) }, (_, other) => ({ other, score: scoreOf(row, other) }))
      .filter(({ other }) => other !== row)
      .toSorted((a, b) => b.score - a.score || a.other - b.other)
    for (const { other, score } of others.slice(0, topK)) {
      const [i, j] = [Math.min(row, other), Math.max(row, other)]
      found.set(`${i} ${j}`, { score, i, j })
    }
  }
  return [...found.values()].toSorted((a, b) => b.score - a.score || a.i - b.i || a.j - b.j).slice(0, maxPairs)
}

for (const [count, topK, maxPairs] of [
  [250, 100, 500_000],
  [250, 3, 500_000],
  [250, 3, 40],
  [97, 1, 1000],
  [5, 100, 1000],
  [2, 100, 1000],
  [1, 100, 1000],
  [0, 100, 1000]
] as const) {
  test(`mineParaphrases() finds what sorting all pairs finds: ${count} rows, top ${topK}, at most ${maxPairs}`, async () => {
    const rows = randomRows(count, 24, count + topK)
    assert.deepEqual(await mineParaphrases(rows, { topK, maxPairs }), allPairs(rows, topK, maxPairs))
  })
}

test('mineParaphrases() takes the first of equally near rows, and orders equal scores by position', async () => {
  // Rows 0, 2, 4 … are all the same, and so are 1, 3, 5 …: nothing but position tells them apart.
  const values = Float32Array.from({ length: 200 * 2 }, (_, index) => ((index >> 1) + index) % 2)
  const rows = { values, dimensions: 2 }
  const pairs = await mineParaphrases(rows, { topK: 2 })
  assert.deepEqual(pairs, allPairs(rows, 2, 500_000))
  assert.deepEqual(pairs[0], { score: 1, i: 0, j: 2 })
})

test('mineParaphrases() lets the event loop run, and stops when it is aborted', async () => {
  const rows = randomRows(400, 64, 3)
  const turnCount = await countTurns(() => mineParaphrases(rows))
  assert.ok(turnCount >= 15, `${turnCount} turns`)
  await assert.rejects(mineParaphrases(rows, { signal: AbortSignal.abort() }), { name: 'AbortError' })
})
