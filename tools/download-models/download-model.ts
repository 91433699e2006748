/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import { withLockFile } from './lock-file.ts'
import type { Manifest } from './manifest.ts'
import { ModelFolder } from './model-folder.ts'
import { reasonOf, type DownloadProgress, type ModelSource, type SourceName } from './model-source.ts'

/** Why a source did not bring the model. */
export interface SourceFailure {
  readonly name: SourceName
  readonly reason: string
}

/** No source brought the whole model; the message says which were tried and why each failed. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
  readonly failures: readonly SourceFailure[]

  constructor(modelName: string, missingPaths: readonly string[], failures: readonly SourceFailure[]) {
    const tried = failures.map(({ name, reason }) => `  ${name.padEnd(11)}  ${reason}`)
    super(
      [`Cannot download ${modelName}: still without ${missingPaths.join(', ')}. Sources tried:`, ...tried].join('\n')
    )
    this.failures = failures
  }
}

/** What to download, from where to where. */
export interface DownloadOptions {
  readonly manifest: Manifest
  /** Where the files go. */
  readonly folderPath: string
  /** Tried in this order, each for what is still missing; one that cannot be tried says why. */
  readonly sources: readonly (ModelSource | SourceFailure)[]
  readonly progress: DownloadProgress
  readonly signal: AbortSignal
}

/**
 * Brings the manifest's files into the folder; what is there already is only checked.
 * Processes that do this at the same time take turns, and the later ones find the work done.
 *
 * @returns the sources that brought something: none when all was there
 * @throws {DownloadError} when something is still missing at the end
 * @throws the signal's reason when it aborts
 */
export async function downloadModel(options: DownloadOptions): Promise<readonly SourceName[]> {
  const { manifest, folderPath, progress, signal } = options
  const folder = new ModelFolder(folderPath)
  if ((await folder.missing(manifest.files)).length === 0) return []
  const onWait = (): void => progress.note('another process is downloading the model: waiting for it')
  return await withLockFile(join(folderPath, '.lock'), { signal, onWait }, () => fetchMissing(folder, options))
}

async function fetchMissing(
  folder: ModelFolder,
  { manifest, sources, progress, signal }: DownloadOptions
): Promise<readonly SourceName[]> {
  const fetchedFrom: SourceName[] = []
  const failures: SourceFailure[] = []
  let missing = await folder.missing(manifest.files)
  for (const source of sources) {
    if (missing.length === 0) break
    if ('reason' in source) {
      failures.push(source)
      continue
    }
    const missingCount = missing.length
    progress.note(`${source.name}: ${source.origin}`)
    try {
      await source.fetch(missing, { folder, progress, signal })
    } catch (error) {
      signal.throwIfAborted()
      failures.push({ name: source.name, reason: reasonOf(error) })
      progress.note(`${source.name}: ${reasonOf(error)}`)
    }
    missing = await folder.missing(missing)
    if (missing.length < missingCount) fetchedFrom.push(source.name)
  }
  if (missing.length === 0) return fetchedFrom
  const missingPaths = missing.map((file) => file.path)
  throw new DownloadError(manifest.name, missingPaths, failures)
}
