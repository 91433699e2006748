/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SqliteModelStore } from '../../src/versions/sqlite-model-store.ts'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'
import { modelStoreContract } from './model-store.ts'

modelStoreContract('SqliteModelStore', async (t, settings) => {
  const dataDir = await temporaryFolder(t)
  const folder = join(dataDir, 'models')
  const peer = async () => {
    const file = new SqliteFile(join(dataDir, 'models.db'))
    t.after(() => file.close())
    return new SqliteModelStore({ file, folder, ...settings })
  }
  return { store: await peer(), peer, countModels: async () => (await readdir(folder)).length }
})
