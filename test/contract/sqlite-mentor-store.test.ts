/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { SqliteMentorStore } from '../../src/mentor/sqlite-mentor-store.ts'
import { openMentorsFile } from '../../src/app/stores.ts'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'
import { mentorStoreContract } from './mentor-store.ts'

mentorStoreContract('SqliteMentorStore', async (t) => {
  const folder = await temporaryFolder(t)
  const openFile = () => {
    const file = new SqliteFile(join(folder, 'mentors.db'))
    t.after(() => file.close())
    return file
  }
  const peer = async () => new SqliteMentorStore(openFile())
  const file = openFile()
  return {
    store: new SqliteMentorStore(file),
    peer,
    countTexts: async () => file.all('SELECT DISTINCT text_id FROM mentor_text_parts').length
  }
})

test('SqliteMentorStore: mentors in a file of the first version are still there', async (t) => {
  const dataDir = await temporaryFolder(t)
  const before = new SqliteFile(join(dataDir, 'mentors.db'))
  before.define(`
    CREATE TABLE mentors (id TEXT PRIMARY KEY, name TEXT, answer_count INTEGER NOT NULL, revision TEXT NOT NULL, updated_at INTEGER NOT NULL) STRICT;
    CREATE TABLE mentor_texts (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
    INSERT INTO mentors VALUES ('noor', 'Noor', 0, 'r1', 5);
    INSERT INTO mentor_texts VALUES ('noor', '{"name":"Noör","answers":[]}');
  `)
  before.close()
  const file = openMentorsFile({ dataDir })
  t.after(() => file.close())
  const store = new SqliteMentorStore(file)
  const entry = { id: 'noor', name: 'Noor', answerCount: 0, revision: 'r1', updatedAtMs: 5 }
  assert.deepEqual(await store.list(), [entry])
  assert.deepEqual((await store.find('noor'))?.mentor, { name: 'Noör', answers: [] })
  // Nothing is taken over twice.
  const again = openMentorsFile({ dataDir })
  t.after(() => again.close())
  assert.deepEqual(await new SqliteMentorStore(again).list(), [entry])
})
