/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sanitize, sanitizeKeepingAccents } from '../../src/mentor/sanitize.ts'
import fixture from '../fixtures/sanitize/cases.json' with { type: 'json' }

const OTHER_SCRIPT = /[\p{L}--\p{Script=Latin}--\p{Script=Common}--\p{Script=Inherited}]/v

test(`sanitize() equals the rule in ${fixture.madeWith} where the script is Latin`, () => {
  const compared = fixture.cases.filter(([text]) => !OTHER_SCRIPT.test(text!))
  assert.equal(compared.length, fixture.cases.length - 2)
  for (const [text, wanted] of compared) assert.equal(sanitize(text!), wanted, JSON.stringify(text))
})

test(`sanitize() keeps of each character between ASCII letters what ${fixture.madeWith} keeps, or its letter of another script`, () => {
  const kept = new Map(Object.entries(fixture.keptBetweenAAndB))
  for (let code = 0x80; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue
    const character = String.fromCodePoint(code)
    const found = sanitize(`a${character}b`)
    if (OTHER_SCRIPT.test(character)) {
      assert.match(found, /^a\p{L}[\p{L}\p{M}]*b$/u, `U+${code.toString(16)}`)
      continue
    }
    const wanted = kept.get(String(code)) ?? 'ab'
    if (found !== wanted)
      assert.fail(`U+${code.toString(16)}: ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`)
  }
})

test('sanitize() keeps letters, marks and digits where a letter is of another script', () => {
  const cases = [
    ['आप कहाँ रहते हैं?', 'आप कहाँ रहते हैं'],
    ['أين تعيش؟', 'أين تعيش'],
    ['你住在哪里？', '你住在哪里'],
    ['ГДЕ ВЫ ЖИВЁТЕ?', 'где вы живёте'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['Müll на 2²', 'müll на 2²'],
    ['¿Dónde vives?', 'dnde vives']
  ] as const
  for (const [text, wanted] of cases) assert.equal(sanitize(text), wanted.normalize('NFC'), text)
})

test('sanitizeKeepingAccents() keeps letters, marks and digits of every script', () => {
  const cases = [
    ['¿Dónde vives?', 'dónde vives'],
    ['Müll', 'müll'],
    ['İSTANBUL', 'istanbul'],
    ['Straße', 'strasse'],
    ['H₂O', 'h₂o'],
    ['ГДЕ ВЫ ЖИВЁТЕ?', 'где вы живёте']
  ] as const
  for (const [text, wanted] of cases) assert.equal(sanitizeKeepingAccents(text), wanted.normalize('NFC'), text)
})

test('a composed letter and its parts are read alike', () => {
  assert.equal(sanitizeKeepingAccents('Mu\u0308ll'), sanitizeKeepingAccents('M\u00fcll'))
  assert.equal(sanitize('\u0928\u093c'), sanitize('\u0929'))
})

test('sanitize() drops emoji with all that chooses their form, and apostrophes of every kind', () => {
  for (const text of ['😀', '❤️', '👩‍👩‍👧', '🇩🇪', '👍🏽', '#️⃣']) assert.equal(sanitize(text), '', text)
  assert.equal(sanitize('комп\u02bcютер'), sanitize('комп\u2019ютер'))
})

test('sanitize() drops halves of surrogate pairs', () => {
  assert.equal(sanitize('a\ud83db\ude00c'), 'abc')
})
