/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ALWAYS_TRAINED, splitByFold, stratifiedFolds } from '../../src/learning/folds.ts'

const labels = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 120 })
  .map((values) => Int32Array.from(values))

test('stratifiedFolds() spreads each class evenly and keeps the folds about equal', () => {
  fc.assert(
    fc.property(labels, fc.integer({ min: 2, max: 6 }), (of, foldCount) => {
      const folds = stratifiedFolds(of, foldCount)
      const sizes = new Int32Array(foldCount)
      for (const k of new Set(of)) {
        const inClass = new Int32Array(foldCount)
        const members = [...folds].filter((_, i) => of[i] === k)
        for (const fold of members) if (fold !== ALWAYS_TRAINED) inClass[fold]! += 1
        assert.ok(Math.max(...inClass) - Math.min(...inClass) <= 1)
        for (let fold = 0; fold < foldCount; fold++) sizes[fold]! += inClass[fold]!
      }
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
    })
  )
})

test('stratifiedFolds() is the same each time', () => {
  const of = Int32Array.from({ length: 50 }, (_, i) => i % 7)
  assert.deepEqual(stratifiedFolds(of, 5), stratifiedFolds(of, 5))
})

test('stratifiedFolds() does not deal neighbours in turn', () => {
  const folds = stratifiedFolds(new Int32Array(40), 4)
  assert.notDeepEqual(
    [...folds],
    Array.from({ length: 40 }, (_, i) => i % 4)
  )
})

test('stratifiedFolds() never holds out the only sample of a class', () => {
  assert.deepEqual([...stratifiedFolds(Int32Array.of(0, 1, 2), 2)], [ALWAYS_TRAINED, ALWAYS_TRAINED, ALWAYS_TRAINED])
})

test('stratifiedFolds() keeps twins together, and a class of twins alone in training', () => {
  const of = Int32Array.of(0, 0, 0, 0, 1, 1)
  const folds = stratifiedFolds(of, 2, Int32Array.of(5, 5, 6, 6, 7, 7))
  assert.equal(folds[0], folds[1])
  assert.equal(folds[2], folds[3])
  assert.notEqual(folds[0], folds[2])
  assert.deepEqual([folds[4], folds[5]], [ALWAYS_TRAINED, ALWAYS_TRAINED])
})

test('splitByFold() holds out one fold and trains on the others and on what is always trained', () => {
  const { heldOut, trained } = splitByFold(Int32Array.of(0, 1, ALWAYS_TRAINED, 0), 0)
  assert.deepEqual([...heldOut], [0, 3])
  assert.deepEqual([...trained], [1, 2])
})

test('stratifiedFolds() refuses to deal to one fold', () => {
  assert.throws(() => stratifiedFolds(Int32Array.of(0, 0), 1), RangeError)
})
