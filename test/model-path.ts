/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Folder of the model that tests run on; its files as published are in `source`. Importing this fails when there is none. */
export const modelPath = join(import.meta.dirname, '..', 'models', 'all-MiniLM-L6-v2')

if (!existsSync(join(modelPath, 'source', 'tokenizer.json'))) {
  throw new Error(`No model in ${modelPath}: run make download-models`)
}
