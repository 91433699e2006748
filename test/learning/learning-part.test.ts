/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partOf } from '../../src/learning/learning-part.ts'

/** Rows of three classes, two rows a group; a row's feature, column and text name it. */
function request(rowCount: number) {
  const rows = Array.from({ length: rowCount }, (_, row) => row)
  return {
    architecture: 'logistic' as const,
    samples: {
      texts: rows.map((row) => `row ${row}`),
      labels: Int32Array.from(rows, (row) => (row >> 1) % 3),
      groups: Int32Array.from(rows, (row) => row >> 1),
      answerIds: ['a', 'b', 'c']
    },
    features: { values: Float32Array.from(rows.flatMap((row) => [row, -row])), rows: rowCount, columns: 2 },
    encoderRevision: 'e',
    ridgeOffTopicThreshold: 0,
    columns: [
      { name: 'n', values: Float64Array.from(rows) },
      { name: 't', values: rows.map(String) }
    ]
  }
}

test('partOf() takes its share of each class, whole groups, with all that belongs to a row', () => {
  const { samples, features, columns } = partOf(request(120), 0.25)
  assert.equal(samples.labels.length, 30)
  for (const k of [0, 1, 2]) assert.equal(samples.labels.filter((label) => label === k).length, 10)
  const rows = Array.from(columns?.[0]?.values ?? [], Number)
  assert.deepEqual(
    rows.filter((row) => row % 2 === 0).map((row) => row + 1),
    rows.filter((row) => row % 2 === 1)
  )
  assert.deepEqual(columns?.[1]?.values, rows.map(String))
  assert.deepEqual(
    samples.texts,
    rows.map((row) => `row ${row}`)
  )
  assert.deepEqual(
    Array.from(samples.groups),
    rows.map((row) => row >> 1)
  )
  assert.deepEqual(
    Array.from(features.values),
    rows.flatMap((row) => [row, -row]).map((value) => value + 0)
  )
  assert.equal(features.rows, 30)
})

function textsOf(share: number): readonly string[] {
  return partOf(request(120), share).samples.texts
}

test('partOf() of a smaller share lies within a larger one, and keeps two groups of each class', () => {
  const half = new Set(textsOf(0.5))
  const quarter = textsOf(0.25)
  assert.ok(quarter.length < half.size && quarter.every((text) => half.has(text)))
  assert.equal(textsOf(0.001).length, 12)
  assert.equal(textsOf(1).length, 120)
})
