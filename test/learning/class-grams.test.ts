/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { GramIndex, gramsOf } from '../../src/learning/character-grams.ts'
import { ClassGrams } from '../../src/learning/class-grams.ts'

const words = fc.constantFrom('where', 'is', 'my', 'parcel', 'refund', 'a', 'change', 'colour')
const phrase = fc.array(words, { maxLength: 5 }).map((some) => some.join(' '))

test('ClassGrams gives the greatest similarity of a GramIndex to the samples of each class', () => {
  // With more than 16 samples, n-grams that most of them share are ignored.
  const samples = fc.array(fc.tuple(phrase, fc.integer({ min: 0, max: 4 })), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(samples, fc.array(phrase, { minLength: 1, maxLength: 5 }), fc.nat(60), (known, asked, heldOut) => {
      const grams = known.map(([text]) => gramsOf(text))
      const questions = asked.map(gramsOf)
      const trained = [...known.keys()].filter((i) => i !== heldOut)
      const rowsOfClass = [0, 1, 2, 3, 4].map((k) => Int32Array.from(trained.filter((i) => known[i]![1] === k)))
      const nearness = new ClassGrams(rowsOfClass, grams, questions)
      const index = new GramIndex(trained.map((i) => grams[i]!))
      const alike = questions.map((question) => index.similarities(question))
      for (const k of [3, 0, 1, 2, 4]) {
        const wanted = alike.map((to) => Math.max(0, ...to.filter((_, at) => known[trained[at]!]![1] === k)))
        assert.deepEqual([...nearness.similarities(k, [...questions.keys()])], wanted)
      }
    })
  )
})
