/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ModelFile } from './manifest.ts'

/** Bytes that are not the ones of the manifest. */
export class WrongFileError extends Error {
  override readonly name = 'WrongFileError'
}

/**
 * The folder that a model is downloaded to. A file is written beside its final place, as `<path>.part`, and moved there
 * only after its check: a file with its final name is complete, and an interrupted download can be resumed.
 */
export class ModelFolder {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Where the file lies once it is checked. */
  pathOf(file: ModelFile): string {
    return join(this.path, file.path)
  }

  /** Where the file is collected, with its folder made. */
  async partPathOf(file: ModelFile): Promise<string> {
    const partPath = `${this.pathOf(file)}.part`
    await mkdir(dirname(partPath), { recursive: true })
    return partPath
  }

  /** The files that are absent, or whose bytes are not those of the manifest. */
  async missing(files: readonly ModelFile[]): Promise<ModelFile[]> {
    const faults = await Promise.all(files.map((file) => findFault(file, this.pathOf(file))))
    return files.filter((_, index) => faults[index] !== undefined)
  }

  /**
   * Checks the collected bytes and gives them their final name, in one step.
   * @throws {WrongFileError} when they are not the manifest's; they are deleted then
   */
  async accept(file: ModelFile): Promise<void> {
    const partPath = await this.partPathOf(file)
    const fault = await findFault(file, partPath)
    if (fault !== undefined) {
      await rm(partPath, { force: true })
      throw new WrongFileError(`${file.path} is not the file of the manifest: ${fault}`)
    }
    const handle = await open(partPath, 'r+')
    try {
      // A rename may reach the disk before the bytes do: after a power loss the file would then be empty.
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(partPath, this.pathOf(file))
  }
}

/** What is wrong with the bytes at `path`; nothing when they are the manifest's. */
async function findFault(file: ModelFile, path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isFile()) return 'no such file'
  if (stats.size !== file.bytes) return `${stats.size} bytes instead of ${file.bytes}`
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  const sha256 = hash.digest('hex')
  return sha256 === file.sha256 ? undefined : `SHA-256 ${sha256} instead of ${file.sha256}`
}
