/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { modelHashOf, type NewVersion } from '../../src/classifier/model-store.ts'
import { MENTOR_SIGNATURE } from '../../src/classifier/signature.ts'
import { SqliteModelStore } from '../../src/classifier/sqlite-model-store.ts'
import { SqliteFile } from '../../src/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const FIGURES = {
  questionCount: 0,
  accuracy: null,
  macroF1: null,
  calibrationError: null,
  offTopicAuroc: null,
  offTopicRefused: null,
  refused: null
}

function newVersion(jobId: string): NewVersion {
  return {
    details: {
      architecture: 'softmax',
      signature: MENTOR_SIGNATURE,
      dataHash: 'data',
      encoderRevision: 'encoder',
      classCount: 2,
      sampleCount: 4,
      figures: FIGURES,
      notMeasured: [],
      durationMs: 5,
      jobId,
      trainedBy: 'someone'
    },
    model: new TextEncoder().encode(`model of ${jobId}`),
    reportJson: `{"of":"${jobId}"}`,
    judgements: [{ sample: 's', isRight: true }]
  }
}

async function open(t: TestContext, maxVersions = 20, dataDir?: string) {
  const folder = dataDir ?? (await temporaryFolder(t))
  const file = new SqliteFile(join(folder, 'models.db'))
  t.after(() => file.close())
  const store = new SqliteModelStore({ file, folder: join(folder, 'models'), maxVersions, wallMs: () => 1000 })
  return { store, folder, files: () => readdir(join(folder, 'models')) }
}

test('SqliteModelStore: a version is read back as it was added, also by another process', async (t) => {
  const { store, folder, files } = await open(t)
  const added = await store.add('m', newVersion('one'))
  assert.deepEqual(added, {
    ...newVersion('one').details,
    version: 1,
    modelHash: modelHashOf(newVersion('one').model),
    createdAtMs: 1000
  })
  const { store: other } = await open(t, 20, folder)
  assert.deepEqual(await other.find('m', 1), added)
  assert.equal(Buffer.from((await other.read('m', 1))!).toString(), 'model of one')
  assert.equal(await other.report('m', 1), '{"of":"one"}')
  assert.deepEqual(await other.judgements('m', 1), [{ sample: 's', isRight: true }])
  assert.equal((await files()).length, 1)
  assert.equal(await other.read('m', 2), undefined)
  assert.equal(await other.liveVersion('m'), undefined)
})

test('SqliteModelStore: add() for the same job gives the same version, at the same time too', async (t) => {
  const { store, files } = await open(t)
  const both = await Promise.all([store.add('m', newVersion('one')), store.add('m', newVersion('one'))])
  assert.deepEqual(
    both.map(({ version }) => version),
    [1, 1]
  )
  assert.equal((await store.add('m', newVersion('one'))).version, 1)
  assert.equal((await store.add('m', newVersion('two'))).version, 2)
  assert.equal((await store.add('n', newVersion('one'))).version, 1)
  assert.deepEqual(await store.names(), ['m', 'n'])
  assert.equal((await files()).length, 2)
})

test('SqliteModelStore: equal models share a file, which stays until the last of them goes', async (t) => {
  const { store, files } = await open(t)
  const { modelHash } = await store.add('m', newVersion('one'))
  await store.add('n', newVersion('one'))
  assert.deepEqual(await files(), [`${modelHash}.model`])
  await store.deleteAll('m')
  assert.equal(modelHashOf((await store.read('n', 1))!), modelHash)
  await store.deleteAll('n')
  assert.deepEqual([await files(), await store.names()], [[], []])
})

test('SqliteModelStore: rollBack() goes back promotion by promotion, and forth again by promote()', async (t) => {
  const { store } = await open(t)
  for (const job of ['one', 'two', 'three']) {
    const { version } = await store.add('m', newVersion(job))
    await store.promote('m', version, 'a')
  }
  assert.deepEqual(await store.promote('m', 3, 'a'), { outcome: 'changed', version: 3 })
  assert.deepEqual(await store.rollBack('m', 'b'), { outcome: 'changed', version: 2 })
  assert.deepEqual(await store.rollBack('m', 'b'), { outcome: 'changed', version: 1 })
  assert.deepEqual(await store.rollBack('m', 'b'), { outcome: 'missing' })
  assert.equal(await store.liveVersion('m'), 1)
  await store.promote('m', 3, 'a')
  assert.deepEqual(await store.rollBack('m', 'b'), { outcome: 'changed', version: 1 })
  assert.deepEqual(await store.promote('m', 9, 'a'), { outcome: 'missing' })
  const history = await store.history('m')
  assert.deepEqual(
    history.map(({ version, kind, by }) => `${version} ${kind} ${by}`),
    [
      '1 ROLLED_BACK b',
      '3 PROMOTED a',
      '1 ROLLED_BACK b',
      '2 ROLLED_BACK b',
      '3 PROMOTED a',
      '2 PROMOTED a',
      '1 PROMOTED a'
    ]
  )
})

test('SqliteModelStore: of many versions the oldest go, with their files, but never the live one', async (t) => {
  const { store, files } = await open(t, 2)
  await store.add('m', newVersion('one'))
  await store.promote('m', 1, 'a')
  for (const job of ['two', 'three', 'four']) await store.add('m', newVersion(job))
  const kept = await store.versions('m')
  assert.deepEqual(
    kept.map(({ version }) => version),
    [4, 3, 1]
  )
  assert.equal((await files()).length, 3)
  await store.deleteAll('m')
  assert.deepEqual([await store.versions('m'), await store.liveVersion('m'), await files()], [[], undefined, []])
})
