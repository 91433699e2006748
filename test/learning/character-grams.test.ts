/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { GramIndex, gramsOf } from '../../src/learning/character-grams.ts'

test('gramsOf() takes 3 to 5 characters within words, whatever parts them', () => {
  assert.equal(gramsOf('Ok').length, 3)
  assert.deepEqual(gramsOf('ok, OK!'), gramsOf('ok'))
  assert.deepEqual(gramsOf('what’s up'), gramsOf('what s\nup'))
  assert.equal(gramsOf('').length, 0)
  assert.equal(gramsOf('?! 🙂').length, 0)
})

test('gramsOf() reads every script, and full-width letters as usual ones', () => {
  assert.ok(gramsOf('Käse').length > 0 && gramsOf('Возврат').length > 0 && gramsOf('返金').length > 0)
  assert.deepEqual(gramsOf('ＯＫ'), gramsOf('ok'))
})

test('gramsOf() gives sorted numbers, each once, of any text, and of a long one its beginning', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const grams = [...gramsOf(text)]
      assert.deepEqual(
        grams,
        [...new Set(grams)].toSorted((a, b) => a - b)
      )
    })
  )
  assert.deepEqual(gramsOf('word '.repeat(100_000)), gramsOf('word'))
})

const texts = ['where is my parcel', 'where is my refund', 'change my address', '']
const index = new GramIndex(texts.map(gramsOf))

test('GramIndex gives a text 1 to itself, less to others, 0 to what shares nothing', () => {
  const similarities = index.similarities(gramsOf('where is my parcel'))
  assert.ok(Math.abs(similarities[0]! - 1) < 1e-6)
  assert.ok(similarities[1]! < 0.9 && similarities[1]! > similarities[2]!)
  assert.equal(similarities[3], 0)
  assert.deepEqual([...index.similarities(gramsOf('quux'))], [0, 0, 0, 0])
  assert.deepEqual([...index.similarities(gramsOf(''))], [0, 0, 0, 0])
})

test('GramIndex finds a word with a wrong letter', () => {
  const [parcel, refund] = index.similarities(gramsOf('my pracel'))
  assert.ok(parcel! > refund! + 0.05, `${parcel} and ${refund}`)
})

test('GramIndex counts rare n-grams more, and unknown ones against the question', () => {
  const [plain] = index.similarities(gramsOf('parcel'))
  const [common] = index.similarities(gramsOf('where'))
  const [strange] = index.similarities(gramsOf('parcel xylophone'))
  assert.ok(plain! > common! && plain! > strange!)
})

test('GramIndex agrees with the cosine as it is defined', () => {
  const words = fc.constantFrom('where', 'is', 'my', 'parcel', 'refund', 'a', 'change')
  const phrase = fc.array(words, { maxLength: 5 }).map((some) => some.join(' '))
  fc.assert(
    fc.property(fc.array(phrase, { minLength: 1, maxLength: 6 }), phrase, (known, asked) => {
      const sets = known.map((text) => new Set(gramsOf(text)))
      const weight = (gram: number) => Math.log((1 + sets.length) / (1 + sets.filter((of) => of.has(gram)).length)) + 1
      const length = (of: ReadonlySet<number>) => Math.hypot(...[...of].map(weight))
      const query = new Set(gramsOf(asked))
      const found = new GramIndex(known.map(gramsOf)).similarities(gramsOf(asked))
      for (const [i, of] of sets.entries()) {
        const common = [...of].filter((gram) => query.has(gram)).reduce((sum, gram) => sum + weight(gram) ** 2, 0)
        const wanted = common === 0 ? 0 : common / length(of) / length(query)
        assert.ok(Math.abs(found[i]! - wanted) < 1e-5)
      }
    })
  )
})

test('GramIndex.similaritiesTo() gives the similarities to chosen texts alone', () => {
  const sums = new Float32Array(texts.length)
  const chosen = Int32Array.of(2, 0, 2)
  for (const asked of ['where is my parcel', 'change my colour', 'xyzzy', '', texts[0]!]) {
    const alike = index.similarities(gramsOf(asked))
    assert.deepEqual(
      [...index.similaritiesTo(chosen, gramsOf(asked), sums)],
      [...chosen].map((text) => alike[text])
    )
  }
})

test('GramIndex leaves out what most of many texts share', () => {
  const many = Array.from(
    { length: 200 },
    (_, i) => `my ${['parcel', 'refund', 'colour', 'invoice'][i % 4]} number ${i}`
  )
  const large = new GramIndex(many.map(gramsOf))
  assert.ok(large.similarities(gramsOf('my number')).every((similarity) => similarity === 0))
  const found = large.similarities(gramsOf('my number 57'))
  assert.ok(found.indexOf(Math.max(...found)) === 57)
})
