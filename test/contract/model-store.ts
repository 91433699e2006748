/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { modelHashOf, type ModelStore, type NewVersion } from '../../src/versions/model-store.ts'
import { MENTOR_SIGNATURE } from '../../src/table/signature.ts'

/** A store that is empty at first. */
export interface OpenModelStore {
  readonly store: ModelStore
  /** Opens one more on the same data: another process, as it were. */
  readonly peer: () => Promise<ModelStore>
  /** How many models are kept, also those that nobody would find. */
  readonly countModels: () => Promise<number>
}

/** What a store of the tests is opened with. */
export interface ModelStoreSettings {
  readonly maxVersions: number
  /** Milliseconds since 1970. No two readings are the same: who reads twice what is one moment shows it. */
  readonly wallMs: () => number
}

const LIMIT = { timeout: 30_000 }
const FIGURES = {
  questionCount: 0,
  accuracy: null,
  macroF1: null,
  calibrationError: null,
  offTopicAuroc: null,
  offTopicRefused: null,
  refused: null
}

/** A version of nothing much, made by that job. */
export function newVersion(jobId: string): NewVersion {
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

/** The promises of every ModelStore. */
export function modelStoreContract(
  name: string,
  openStore: (t: TestContext, settings: ModelStoreSettings) => Promise<OpenModelStore>
): void {
  const open = (t: TestContext, maxVersions = 20) => {
    let nowMs = 1_700_000_000_000
    return openStore(t, { maxVersions, wallMs: () => ++nowMs })
  }

  test(`${name}: a version is read back as it was added, also by another process`, LIMIT, async (t) => {
    const { store, peer, countModels } = await open(t)
    const added = await store.add('mentor/m', newVersion('one'))
    assert.deepEqual(added, {
      ...newVersion('one').details,
      version: 1,
      modelHash: modelHashOf(newVersion('one').model),
      createdAtMs: added.createdAtMs
    })
    const other = await peer()
    assert.deepEqual(await other.find('mentor/m', 1), added)
    assert.equal(Buffer.from((await other.read('mentor/m', 1))!).toString(), 'model of one')
    assert.equal(await other.report('mentor/m', 1), '{"of":"one"}')
    assert.deepEqual(await other.judgements('mentor/m', 1), [{ sample: 's', isRight: true }])
    assert.equal(await countModels(), 1)
    assert.equal(await other.read('mentor/m', 2), undefined)
    assert.equal(await other.liveVersion('mentor/m'), undefined)
  })

  test(`${name}: add() for the same job gives the same version, at the same time too`, LIMIT, async (t) => {
    const { store, countModels } = await open(t)
    const both = await Promise.all([store.add('mentor/m', newVersion('one')), store.add('mentor/m', newVersion('one'))])
    assert.deepEqual(
      both.map(({ version }) => version),
      [1, 1]
    )
    assert.equal((await store.add('mentor/m', newVersion('one'))).version, 1)
    assert.equal((await store.add('mentor/m', newVersion('two'))).version, 2)
    assert.equal(await countModels(), 2)
    assert.equal((await store.add('mentor/n', newVersion('one'))).version, 1)
    assert.deepEqual(await store.names(), ['mentor/m', 'mentor/n'])
  })

  test(`${name}: rollBack() goes back promotion by promotion, and forth again by promote()`, LIMIT, async (t) => {
    const { store } = await open(t)
    for (const job of ['one', 'two', 'three']) {
      const { version } = await store.add('mentor/m', newVersion(job))
      await store.promote('mentor/m', version, 'a')
    }
    assert.deepEqual(await store.promote('mentor/m', 3, 'a'), { outcome: 'changed', version: 3 })
    assert.deepEqual(await store.rollBack('mentor/m', 'b'), { outcome: 'changed', version: 2 })
    assert.deepEqual(await store.rollBack('mentor/m', 'b'), { outcome: 'changed', version: 1 })
    assert.deepEqual(await store.rollBack('mentor/m', 'b'), { outcome: 'missing' })
    assert.equal(await store.liveVersion('mentor/m'), 1)
    await store.promote('mentor/m', 3, 'a')
    assert.deepEqual(await store.rollBack('mentor/m', 'b'), { outcome: 'changed', version: 1 })
    assert.deepEqual(await store.promote('mentor/m', 9, 'a'), { outcome: 'missing' })
    const history = await store.history('mentor/m')
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

  test(`${name}: of many versions the oldest go, with their files, but never the live one`, LIMIT, async (t) => {
    const { store, countModels } = await open(t, 2)
    await store.add('mentor/m', newVersion('one'))
    await store.promote('mentor/m', 1, 'a')
    for (const job of ['two', 'three', 'four']) await store.add('mentor/m', newVersion(job))
    const kept = await store.versions('mentor/m')
    assert.deepEqual(
      kept.map(({ version }) => version),
      [4, 3, 1]
    )
    assert.equal(await countModels(), 3)
    await store.deleteAll('mentor/m')
    assert.deepEqual(
      [await store.versions('mentor/m'), await store.liveVersion('mentor/m'), await countModels()],
      [[], undefined, 0]
    )
  })

  test(
    `${name}: neither the live version nor the one to roll back to is dropped, however many come after`,
    LIMIT,
    async (t) => {
      const { store, countModels } = await open(t, 2)
      const add = async (job: string): Promise<number> => (await store.add('mentor/m', newVersion(job))).version
      for (const job of ['one', 'two', 'three']) await store.promote('mentor/m', await add(job), 'a')
      for (const job of ['four', 'five', 'six']) await add(job)
      const kept = (await store.versions('mentor/m')).map(({ version }) => version)
      assert.deepEqual(kept, [6, 5, 3, 2])
      assert.equal(await countModels(), 4)
      assert.deepEqual(await store.rollBack('mentor/m', 'b'), { outcome: 'changed', version: 2 })
      assert.equal(Buffer.from((await store.read('mentor/m', 2))!).toString(), 'model of two')
      assert.deepEqual(await store.rollBack('mentor/m', 'b'), { outcome: 'missing' }, 'version 1 has gone')
    }
  )

  test(`${name}: versions of equal models share one, which stays until the last of them goes`, LIMIT, async (t) => {
    const { store, countModels } = await open(t, 2)
    const { model } = newVersion('same')
    for (const job of ['one', 'two', 'three']) await store.add('mentor/m', { ...newVersion(job), model })
    assert.equal(await countModels(), 1)
    for (const job of ['four', 'five']) await store.add('mentor/m', newVersion(job))
    assert.equal(await countModels(), 2)
    assert.equal(await store.read('mentor/m', 3), undefined)
    await store.add('mentor/n', { ...newVersion('six'), model })
    await store.deleteAll('mentor/m')
    assert.equal(modelHashOf((await store.read('mentor/n', 1))!), modelHashOf(model))
    await store.deleteAll('mentor/n')
    assert.deepEqual([await countModels(), await store.names()], [0, []])
  })

  test(`${name}: no number is given twice, even after the name was deleted`, LIMIT, async (t) => {
    const { store, peer } = await open(t, 2)
    for (const job of ['one', 'two', 'three']) await store.add('mentor/m', newVersion(job))
    await store.add('mentor/n', newVersion('one'))
    for (const next of [4, 5]) {
      await store.deleteAll('mentor/m')
      await (await peer()).deleteAll('mentor/m')
      assert.deepEqual(await store.names(), ['mentor/n'])
      const { version } = await store.add('mentor/m', newVersion(`after ${next}`))
      assert.equal(version, next)
      await store.promote('mentor/m', version, 'a')
      assert.equal(await store.liveVersion('mentor/m'), next)
    }
    assert.deepEqual(
      (await store.versions('mentor/m')).map(({ version }) => version),
      [5]
    )
    assert.equal((await store.add('mentor/n', newVersion('two'))).version, 2)
  })

  test(`${name}: changes of two processes at once all count`, LIMIT, async (t) => {
    const { store, peer } = await open(t)
    const stores = [store, await peer()]
    const added = await Promise.all(
      ['one', 'two', 'three', 'four'].map((job, k) => stores[k % 2]!.add('mentor/m', newVersion(job)))
    )
    assert.deepEqual(
      added.map(({ version }) => version).toSorted((a, b) => a - b),
      [1, 2, 3, 4]
    )
    await Promise.all([1, 2, 3, 4].map((version, k) => stores[k % 2]!.promote('mentor/m', version, 'a')))
    const history = await store.history('mentor/m')
    assert.deepEqual(
      history.map(({ version }) => version).toSorted((a, b) => a - b),
      [1, 2, 3, 4]
    )
    assert.equal(await (await peer()).liveVersion('mentor/m'), history[0]?.version)
  })
}
