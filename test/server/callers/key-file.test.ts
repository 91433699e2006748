/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { MAX_KEYS, parseKeyFile } from '../../../src/server/callers/key-file.ts'

const ENTRY = { name: 'web', sha256: hash('sha256', 'key'), scopes: ['ask'] }

/** Text of a file whose one key differs in something. */
function fileOf(...changes: object[]): string {
  return JSON.stringify({ keys: changes.map((change) => ({ ...ENTRY, ...change })) })
}

test('parseKeyFile() reads names, digests, scopes, rates and ends', () => {
  const rate = { requests: 50, seconds: 1 }
  const [day, moment, none] = parseKeyFile(
    fileOf(
      { scopes: ['admin'], expires: '2027-06-30', rate },
      { sha256: hash('sha256', 'b'), expires: '2027-06-30T12:00:00Z', rate },
      { name: 'other', sha256: hash('sha256', 'c'), scopes: ['train', 'encode'] }
    )
  )
  assert.deepEqual(day?.scopes, ['encode', 'ask', 'train', 'admin'], 'admin is every scope')
  assert.equal(day?.expiresAtMs, Date.UTC(2027, 6, 1), 'a day is valid to its end')
  assert.equal(moment?.expiresAtMs, Date.UTC(2027, 5, 30, 12))
  assert.deepEqual(none, { name: 'other', sha256: hash('sha256', 'c'), scopes: ['encode', 'train'] })
  assert.deepEqual(parseKeyFile('{"keys":[]}'), [])
})

test('parseKeyFile() takes a file as a whole or not at all, and says what is wrong without quoting it', () => {
  const secret = 'sbert_a-key-where-its-digest-belongs'
  const wrong: Record<string, [string, RegExp]> = {
    'no JSON': [`{"keys": [${secret}`, /^it is not JSON$/],
    'cut short': [fileOf({}).slice(0, -3), /^it is not JSON$/],
    empty: ['', /^it is not JSON$/],
    'a list': ['[]', /object/],
    'a key in place of its digest': [fileOf({ sha256: secret }), /^\/keys\/0\/sha256 /],
    'an unknown scope': [fileOf({ scopes: [secret] }), /^\/keys\/0\/scopes\/0 /],
    'no scope': [fileOf({ scopes: [] }), /^\/keys\/0\/scopes /],
    'a misspelt member': [fileOf({ expire: '2027-01-01' }), /^\/keys\/0 /],
    'a name with spaces': [fileOf({ name: 'a b' }), /^\/keys\/0\/name /],
    'no requests': [fileOf({ rate: { requests: 0, seconds: 1 } }), /^\/keys\/0\/rate\/requests /],
    'no such day': [fileOf({ expires: '2027-02-30' }), /^\/keys\/0\/expires is not a date$/],
    'no such hour': [fileOf({ expires: '2027-02-03T25:00:00Z' }), /^\/keys\/0\/expires is not a date$/],
    'a digest twice': [fileOf({}, { name: 'b' }), /^\/keys\/1\/sha256 is there twice$/],
    'two rates of one name': [
      fileOf({}, { sha256: hash('sha256', 'b'), rate: { requests: 1, seconds: 1 } }),
      /^\/keys\/1\/rate differs/
    ],
    'too many': [
      fileOf(...Array.from({ length: MAX_KEYS + 1 }, (_, i) => ({ sha256: hash('sha256', String(i)) }))),
      /keys/
    ]
  }
  for (const [name, [text, message]] of Object.entries(wrong)) {
    assert.throws(
      () => parseKeyFile(text),
      (error: Error) => {
        assert.equal(error.name, 'KeyFileError', name)
        assert.match(error.message, message, name)
        assert.doesNotMatch(error.message, /sbert_/, name)
        return true
      }
    )
  }
})
