/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { constants } from 'node:fs'
import { chmod, copyFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ModelFile } from './manifest.ts'
import type { FetchContext, ModelSource } from './model-source.ts'

/** A folder on this machine, as sentence-transformers saves a model: `MODEL_PATH`. */
export class LocalSource implements ModelSource {
  readonly name = 'local'
  readonly origin: string

  constructor(path: string) {
    this.origin = resolve(path)
  }

  async fetch(files: readonly ModelFile[], { folder, progress, signal }: FetchContext): Promise<void> {
    if (!(await stat(this.origin).catch(() => undefined))?.isDirectory()) {
      throw new Error(`MODEL_PATH is not a folder: ${this.origin}`)
    }
    for (const file of files) {
      signal.throwIfAborted()
      const partPath = await folder.partPathOf(file)
      await copyFile(join(this.origin, file.path), partPath, constants.COPYFILE_FICLONE)
      // The copy has the mode of the original, which may be read-only.
      await chmod(partPath, 0o644)
      await folder.accept(file)
      progress.advance(file, file.bytes)
    }
  }
}
