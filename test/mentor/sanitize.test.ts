/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sanitize } from '../../src/mentor/sanitize.ts'
import fixture from '../fixtures/sanitize/cases.json' with { type: 'json' }

test(`sanitize() equals the rule in ${fixture.madeWith}`, () => {
  for (const [text, wanted] of fixture.cases) assert.equal(sanitize(text!), wanted, JSON.stringify(text))
})

test(`sanitize() keeps of every character beyond ASCII what ${fixture.madeWith} keeps`, () => {
  const kept = new Map(Object.entries(fixture.keptBetweenAAndB))
  for (let code = 0x80; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue
    const found = sanitize(`a${String.fromCodePoint(code)}b`)
    const wanted = kept.get(String(code)) ?? 'ab'
    if (found !== wanted)
      assert.fail(`U+${code.toString(16)}: ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`)
  }
})

test('sanitize() drops halves of surrogate pairs', () => {
  assert.equal(sanitize('a\ud83db\ude00c'), 'abc')
})
