/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packRidgeModel } from '../../src/learning/classifier-model.ts'
import { LoadedModels } from '../../src/versions/loaded-models.ts'
import { fitRidge } from '../../src/learning/ridge.ts'
import { clusters } from '../learning/clusters.ts'

function bytesOf(encoderRevision: string) {
  const { features, labels } = clusters(3, 9)
  return packRidgeModel(fitRidge(features, labels, 3), { classIds: ['a', 'b', 'c'], encoderRevision })
}

const size = bytesOf('x').byteLength

/** Models named after their keys, and a count of how often each was read. */
function opened(maxBytes: number) {
  const reads = new Map<string, number>()
  const models = new LoadedModels({
    maxBytes,
    read: async (key) => {
      reads.set(key, (reads.get(key) ?? 0) + 1)
      return key === 'none' ? undefined : bytesOf(key)
    }
  })
  return { models, reads }
}

test('LoadedModels reads a model once, however many ask at the same time', async () => {
  const { models, reads } = opened(10 * size)
  const [first, second] = await Promise.all([models.get('a'), models.get('a')])
  assert.equal(first, second)
  assert.equal(await models.get('a'), first)
  assert.equal(first?.encoderRevision, 'a')
  assert.equal(reads.get('a'), 1)
})

test('LoadedModels lets go of the model asked for least recently', async () => {
  const { models, reads } = opened(2.5 * size)
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await models.get(key)
  assert.deepEqual(Object.fromEntries(reads), { a: 1, b: 2, c: 1 })
})

test('LoadedModels gives a model that is too large to keep', async () => {
  const { models, reads } = opened(size / 2)
  assert.equal((await models.get('a'))?.encoderRevision, 'a')
  assert.equal((await models.get('a'))?.encoderRevision, 'a')
  assert.equal(reads.get('a'), 2)
})

test('LoadedModels has no model where none is, and asks again', async () => {
  const { models, reads } = opened(10 * size)
  assert.equal(await models.get('none'), undefined)
  assert.equal(await models.get('none'), undefined)
  assert.equal(reads.get('none'), 2)
})

test('LoadedModels hands on a failure and tries again', async () => {
  let isBroken = true
  const models = new LoadedModels({
    maxBytes: 10 * size,
    read: async () => (isBroken ? new Uint8Array(4) : bytesOf('a'))
  })
  await assert.rejects(models.get('a'), /Cannot load the model/)
  isBroken = false
  assert.equal((await models.get('a'))?.encoderRevision, 'a')
})
