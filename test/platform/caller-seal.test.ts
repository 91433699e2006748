/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallerSeal } from '../../src/platform/caller-seal.ts'

const CALLER = { authorization: 'Bearer a.b.c', externalOrigin: 'https://app.example.org' }

test('CallerSeal opens what it sealed, whatever secret of its list sealed it, and shows nothing of it', () => {
  const seal = new CallerSeal(['old', 'other'])
  const sealed = seal.seal(CALLER)
  assert.ok(sealed !== undefined)
  assert.doesNotMatch(Buffer.from(sealed, 'base64url').toString('latin1'), /Bearer|a\.b\.c|example/)
  assert.notEqual(seal.seal(CALLER), sealed)
  assert.deepEqual(seal.open(sealed), CALLER)
  assert.deepEqual(new CallerSeal(['new', 'old']).open(sealed), CALLER)
})

test('CallerSeal opens nothing that was tampered with, or sealed with another secret', () => {
  const seal = new CallerSeal(['one'])
  const sealed = seal.seal(CALLER) ?? ''
  for (const at of [0, 13, 29, sealed.length - 1]) {
    const bytes = Buffer.from(sealed, 'base64url')
    bytes[Math.min(at, bytes.length - 1)]! ^= 1
    assert.deepEqual(seal.open(bytes.toString('base64url')), {})
  }
  assert.deepEqual(new CallerSeal(['two']).open(sealed), {})
  assert.deepEqual(seal.open('AAAA'), {})
  assert.deepEqual(seal.open(undefined), {})
})

test('CallerSeal keeps nothing without a secret', () => {
  assert.equal(new CallerSeal([]).seal(CALLER), undefined)
  assert.equal(new CallerSeal(['one']).seal({}), undefined)
})
