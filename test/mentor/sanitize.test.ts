/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sanitize } from '../../src/mentor/sanitize.ts'
import fixture from '../fixtures/sanitize/cases.json' with { type: 'json' }

/** A text without the letters, marks and numbers beyond ASCII. Marks are taken off the letters they stand on. */
function asciiOf(text: string): string {
  return text.replaceAll(/(?!\p{ASCII})[\p{L}\p{M}\p{N}]/gu, '')
}

test(`sanitize() equals the rule in ${fixture.madeWith} but for letters and digits beyond ASCII`, () => {
  for (const [text, wanted] of fixture.cases) assert.equal(asciiOf(sanitize(text!)), wanted, JSON.stringify(text))
})

test(`sanitize() keeps of each character that is no letter, mark or number what ${fixture.madeWith} keeps, and no less of those`, () => {
  const kept = new Map(Object.entries(fixture.keptBetweenAAndB))
  for (let code = 0x80; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue
    const character = String.fromCodePoint(code)
    const found = sanitize(`a${character}b`)
    const wanted = (kept.get(String(code)) ?? 'ab').normalize('NFC')
    const asAscii = /\p{M}/u.test(character) ? asciiOf(found.normalize('NFD')) : asciiOf(found)
    const compared = /[\p{L}\p{M}\p{N}]/u.test(character) ? asAscii : found
    if (compared !== wanted)
      assert.fail(`U+${code.toString(16)}: ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`)
  }
})

test('sanitize() keeps letters, marks and digits of every script', () => {
  const cases = [
    ['आप कहाँ रहते हैं?', 'आप कहाँ रहते हैं'],
    ['أين تعيش؟', 'أين تعيش'],
    ['你住在哪里？', '你住在哪里'],
    ['ГДЕ ВЫ ЖИВЁТЕ?', 'где вы живёте'],
    ['¿Dónde vives?', 'dónde vives'],
    ['Müll', 'müll'],
    ['İSTANBUL', 'istanbul'],
    ['Straße', 'strasse'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['H₂O', 'h₂o']
  ] as const
  for (const [text, wanted] of cases) assert.equal(sanitize(text), wanted.normalize('NFC'), text)
})

test('sanitize() reads a composed letter and its parts alike', () => {
  assert.equal(sanitize('Mu\u0308ll'), sanitize('M\u00fcll'))
  assert.equal(sanitize('\u0928\u093c'), sanitize('\u0929'))
})

test('sanitize() drops emoji with all that chooses their form, and apostrophes of every kind', () => {
  for (const text of ['😀', '❤️', '👩‍👩‍👧', '🇩🇪', '👍🏽', '#️⃣']) assert.equal(sanitize(text), '', text)
  assert.equal(sanitize('комп\u02bcютер'), sanitize('комп\u2019ютер'))
})

test('sanitize() drops halves of surrogate pairs', () => {
  assert.equal(sanitize('a\ud83db\ude00c'), 'abc')
})
