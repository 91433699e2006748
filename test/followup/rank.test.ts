/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PopCulture } from '../../src/followup/pop-culture.ts'
import { isExcluded, weightOf } from '../../src/followup/rank.ts'

test('weightOf() adds for the speaker’s own verb, takes for pop culture, and puts what has no verb last', () => {
  const said = { hasVerb: true, isOfSpeaker: false }
  const done = { hasVerb: true, isOfSpeaker: true }
  assert.equal(weightOf(said, 0.25, false), 0.25)
  assert.equal(weightOf(done, 0.25, false), 0.75)
  assert.equal(weightOf(said, 0.25, true), -0.5)
  assert.equal(weightOf(done, 0.25, true), 0)
  assert.equal(weightOf({ hasVerb: false, isOfSpeaker: false }, 0.9, true), -1)
})

test('isExcluded() knows the United States by all its names, and the mentor by any part of the name', () => {
  for (const text of [
    'America',
    'United States',
    'US',
    'U.S.',
    'USA',
    'us',
    'Noor',
    'noor halvorsen',
    'Ms. Halvorsen'
  ]) {
    assert.ok(isExcluded({ text }, 'Dr. Noor Halvorsen'), text)
  }
  for (const text of ['Bank of America', 'Noor Khan', 'South America', 'USS Nimitz']) {
    assert.ok(!isExcluded({ text }, 'Noor Halvorsen'), text)
    assert.ok(!isExcluded({ text }, ''), text)
  }
})

test('PopCulture reads one name a line', () => {
  const names = new PopCulture('# comment\r\nStar Trek\n\n  Captain Kirk \n')
  assert.deepEqual(
    ['star trek', 'Kirk', 'Captain Kirk', 'comment', '# comment', '', 'Spock'].map((name) => names.has(name)),
    [true, true, true, false, false, false, false]
  )
})
