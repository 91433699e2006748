/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import { SqliteMentorStore } from '../../src/mentor/sqlite-mentor-store.ts'
import { SqliteFile } from '../../src/sqlite-file.ts'
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
