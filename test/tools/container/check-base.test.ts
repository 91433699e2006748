/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeBaseImage } from '../../../tools/container/check-base.ts'

const PINNED = `docker.io/library/node:26-bookworm-slim@sha256:${'a'.repeat(64)}`
const BASE = { reference: PINNED, nodeVersion: '26.12.1', minimumNode: '26.12.1', requiresDigest: true }

test('judgeBaseImage() takes a base with a digest and a Node.js that is new enough', () => {
  for (const nodeVersion of ['26.12.1', '26.13.0', '28.0.0']) {
    assert.deepEqual(judgeBaseImage({ ...BASE, nodeVersion }), { problems: [], warnings: [] })
  }
})

test('judgeBaseImage() refuses a Node.js that is too old', () => {
  for (const nodeVersion of ['26.12.0', '26.9.9', '24.99.0']) {
    const { problems } = judgeBaseImage({ ...BASE, nodeVersion })
    assert.deepEqual(problems, [`it has Node.js ${nodeVersion}, but 26.12.1 or newer is needed`])
  }
})

test('judgeBaseImage() warns of a base without a digest, and refuses it where one is required', () => {
  for (const reference of ['node:26', 'node@sha256:abc', `${PINNED}0`, '']) {
    const required = judgeBaseImage({ ...BASE, reference })
    assert.equal(required.problems.length, 1, reference)
    const warned = judgeBaseImage({ ...BASE, reference, requiresDigest: false })
    assert.deepEqual([warned.problems, warned.warnings], [[], required.problems])
  }
})
