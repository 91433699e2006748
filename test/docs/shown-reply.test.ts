/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differencesOf, readShownReplies } from './shown-reply.ts'

test('differencesOf() compares members, lengths and types, and takes an ellipsis for the rest', () => {
  const [shown, second] = readShownReplies(
    '{"id":"…","list":[1.5,2, … 384 numbers, of length 1],"at":{"x":null,…}}\n[true]'
  )
  assert.deepEqual(differencesOf(shown!, { id: 'a', list: [3, 4, 5], at: { x: null, y: 1 } }), [])
  assert.deepEqual(differencesOf(shown!, { id: 1, list: [3], at: {}, more: 1 }), [
    'reply.more is not shown',
    'reply.id is shown as "…" and is 1',
    'reply.list has 1 items, 2 are shown',
    'reply.at.x is missing'
  ])
  assert.deepEqual(differencesOf(second!, [false]), [])
  assert.deepEqual(differencesOf(second!, [true, true]), ['reply has 2 items, 1 are shown'])
})
