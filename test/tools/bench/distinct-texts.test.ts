/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { DistinctTexts, loadTestTexts } from '../../../tools/bench/load/distinct-texts.ts'

test('DistinctTexts: no two texts are the same, whichever index they have', () => {
  const texts = new DistinctTexts(['How are you?', 'What is up?', 'Who goes there and why?', 'Where are we now?'])
  const all = new Set(Array.from({ length: texts.count }, (_, index) => texts.at(index)))
  assert.equal(all.size, texts.count)
})

test('DistinctTexts: a half with a joining word comes second only, or two pairs could read the same', () => {
  const texts = new DistinctTexts(['You sing and you dance', 'You rest', 'You sing', 'You dance'])
  const all = Array.from({ length: texts.count }, (_, index) => texts.at(index))
  assert.ok(all.includes('You rest and you sing and you dance?'))
  assert.ok(!all.includes('You sing and you dance and you rest?'))
  assert.equal(new Set(all).size, texts.count)
})

test('DistinctTexts: an index outside is refused, not wrapped round', () => {
  const texts = new DistinctTexts(['How are you?', 'What is up?'])
  assert.throws(() => texts.at(texts.count), RangeError)
  assert.throws(() => texts.at(-1), RangeError)
})

test('loadTestTexts() gives enough for a soak, of about 11 words, all different', () => {
  const texts = loadTestTexts()
  const soak = 200_000
  assert.ok(texts.count >= soak, `${texts.count} texts`)
  const seen = new Set(Array.from({ length: soak }, (_, index) => texts.at(index)))
  assert.equal(seen.size, soak)
  const words = [...seen].reduce((sum, text) => sum + text.split(' ').length, 0)
  assert.ok(Math.abs(words / soak - 11) < 1, `${words / soak} words on average`)
})
