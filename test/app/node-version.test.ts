/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeNodeVersion } from '../../src/app/node-version.ts'

test('judgeNodeVersion() refuses what is too old, warns of what is not fixed', () => {
  const outcomes = {
    '20.20.2': 'too old',
    '24.14.9': 'too old',
    '24.15.0': 'vulnerable',
    '24.22.0': 'vulnerable',
    '24.22.1': 'fine',
    '25.9.0': 'vulnerable',
    '26.10.0': 'vulnerable',
    '26.12.1': 'fine',
    '26.13.0': 'fine',
    '27.0.0': 'fine'
  }
  for (const [version, outcome] of Object.entries(outcomes))
    assert.equal(judgeNodeVersion(version).outcome, outcome, version)
  const tooOld = judgeNodeVersion('20.20.2')
  assert.ok(tooOld.outcome === 'too old')
  assert.equal(tooOld.message, 'Cannot start: Node.js 20.20.2 is too old, 24.15.0 is the oldest that works')
})
