/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { MentorStore, StoredMentor } from '../../src/mentor/mentor-source.ts'
import { readMentorUpload } from '../../src/mentor/mentor-upload.ts'
import { answer } from '../mentor/mentors.ts'

/** A store that is empty at first. */
export interface OpenMentorStore {
  readonly store: MentorStore
  /** Opens one more on the same data: another process, as it were. */
  readonly peer: () => Promise<MentorStore>
  /** How many texts, or parts of one, are kept, also those that nobody would find. */
  readonly countTexts: () => Promise<number>
}

const LIMIT = { timeout: 30_000 }

function mentor(name: string, ...questions: string[]): StoredMentor {
  const answers = questions.map((question, k) => answer(`${name}-${k}`, question))
  return readMentorUpload({ format: 'json', bytes: new TextEncoder().encode(JSON.stringify({ name, answers })) }, {})
    .mentor
}

/** The promises of every MentorStore. */
export function mentorStoreContract(name: string, open: (t: TestContext) => Promise<OpenMentorStore>): void {
  test(`${name}: a mentor is read back as it was put, also by another process`, LIMIT, async (t) => {
    const { store, peer } = await open(t)
    const noor = mentor('Noor', 'Where do you live?', 'Où habitez-vous ? 🙂')
    assert.deepEqual([await store.revisionOf('n/1'), await store.find('n/1')], [undefined, undefined])
    assert.equal(await store.put('n/1', noor), true)
    for (const each of [store, await peer()]) {
      assert.equal(await each.revisionOf('n/1'), noor.revision)
      const found = await each.find('n/1')
      assert(found !== undefined)
      assert.deepEqual(found.mentor, JSON.parse(Buffer.from(noor.json).toString()))
      assert.deepEqual([found.revision, found.byteLength], [noor.revision, noor.json.byteLength])
      const text = await each.readJson('n/1')
      assert.deepEqual([Buffer.from(text!.json), text?.revision], [Buffer.from(noor.json), noor.revision])
    }
  })

  test(`${name}: put() replaces a mentor, and its text leaves nothing behind`, LIMIT, async (t) => {
    const { store, countTexts } = await open(t)
    await store.put('n', mentor('Noor', 'One?'))
    const next = mentor('Noor', 'Two?')
    await store.put('n', next)
    assert.equal(await store.revisionOf('n'), next.revision)
    assert.equal((await store.find('n'))?.mentor.answers?.[0]?.question.question, 'Two?')
    assert.equal(await countTexts(), 1)
    // The same content again is another put, which may not take the text from the first.
    await store.put('n', next)
    assert.equal((await store.find('n'))?.revision, next.revision)
    assert.equal(await countTexts(), 1)
  })

  test(`${name}: put() with an expected revision does nothing when there is another`, LIMIT, async (t) => {
    const { store, peer, countTexts } = await open(t)
    const [one, two, three] = [mentor('N', 'One?'), mentor('N', 'Two?'), mentor('N', 'Three?')]
    assert.equal(await store.put('n', one, 'other'), false)
    assert.equal(await store.put('n', one, null), true)
    assert.equal(await store.put('n', two, null), false)
    assert.equal(await (await peer()).put('n', two, one.revision), true)
    assert.equal(await store.put('n', three, one.revision), false)
    assert.equal((await store.find('n'))?.revision, two.revision)
    assert.equal(await countTexts(), 1)
  })

  test(`${name}: of changes at once, each of what there was, one happens`, LIMIT, async (t) => {
    const { store, peer } = await open(t)
    const before = mentor('N', 'One?')
    await store.put('n', before)
    const stores = [store, await peer()]
    const after = ['a', 'b', 'c', 'd'].map((each) => mentor('N', each))
    const arePut = await Promise.all(after.map((each, k) => stores[k % 2]!.put('n', each, before.revision)))
    assert.equal(arePut.filter(Boolean).length, 1)
    assert.equal((await store.find('n'))?.revision, after[arePut.indexOf(true)]?.revision)
  })

  test(`${name}: a text of several parts comes back whole`, LIMIT, async (t) => {
    const { store } = await open(t)
    const large = mentor('N', ...Array.from({ length: 1000 }, (_, n) => `${n} ${'wörd '.repeat(300)}`))
    assert(large.json.byteLength > 1024 * 1024)
    await store.put('n', large)
    assert.deepEqual(Buffer.from((await store.readJson('n'))!.json), Buffer.from(large.json))
  })

  test(`${name}: list() tells of all mentors, by id, and delete() takes one away`, LIMIT, async (t) => {
    const { store, countTexts } = await open(t)
    await store.put('b', mentor('Bea', 'One?', 'Two?'))
    await store.put('a', { ...mentor('Al', 'One?'), name: undefined })
    const entries = await store.list()
    assert.deepEqual(
      entries.map(({ id, name: itsName, answerCount }) => [id, itsName, answerCount]),
      [
        ['a', undefined, 1],
        ['b', 'Bea', 2]
      ]
    )
    assert.equal(entries[1]?.revision, mentor('Bea', 'One?', 'Two?').revision)
    assert.equal(await store.delete('b'), true)
    assert.equal(await store.delete('b'), false)
    assert.deepEqual([await store.find('b'), await store.revisionOf('b')], [undefined, undefined])
    assert.deepEqual(
      (await store.list()).map(({ id }) => id),
      ['a']
    )
    assert.equal(await countTexts(), 1)
  })
}
