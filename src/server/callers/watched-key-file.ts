/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { open, stat } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import type { FastifyBaseLogger } from 'fastify'
import { KeyFileError, MAX_KEY_FILE_BYTES, parseKeyFile, type ApiKey } from './key-file.ts'
import type { KeyRing } from './key-ring.ts'

/** Options of {@link watchKeyFile}. */
export interface WatchKeyFileOptions {
  readonly path: string
  readonly ring: KeyRing
  readonly log: Pick<FastifyBaseLogger, 'info' | 'error'>
  /** How often the file is looked at. @default 1000 */
  readonly intervalMs?: number
}

const INTERVAL_MS = 1000

/**
 * Reads a file of keys into a ring, and again whenever it has changed. It is looked at by its path each second: editors,
 * configuration tools and Kubernetes replace files, folders or symbolic links, which a watch of the old file would not
 * tell of, and network disks tell nothing at all.
 * @throws {KeyFileError} when the file cannot be read now
 */
export async function watchKeyFile(options: WatchKeyFileOptions): Promise<WatchedKeyFile> {
  const { path, ring, intervalMs = INTERVAL_MS } = options
  const { keys, fingerprint } = await readKeys(path)
  ring.replace(keys)
  const watched = new WatchedKeyFile(options, fingerprint)
  const timer = setInterval(() => void watched.look(), intervalMs).unref()
  watched.signal.addEventListener('abort', () => clearInterval(timer))
  return watched
}

/** A file of keys whose changes are followed. A changed file that is broken leaves the keys as they are. */
export class WatchedKeyFile {
  readonly #options: WatchKeyFileOptions
  readonly #closing = new AbortController()
  #fingerprint: string
  /** What was wrong when the file was last read; it is tried again until it is right. */
  #problem: string | undefined
  #failureCount = 0
  #looking: Promise<void> | undefined

  constructor(options: WatchKeyFileOptions, fingerprint: string) {
    this.#options = options
    this.#fingerprint = fingerprint
  }

  /** Aborted once it is closed. */
  get signal(): AbortSignal {
    return this.#closing.signal
  }

  /** How many changes of the file could not be taken. */
  get failureCount(): number {
    return this.#failureCount
  }

  /** Whether the keys in use are not those of the file, which is broken. */
  get isBehind(): boolean {
    return this.#problem !== undefined
  }

  /** Looks whether the file has changed, and takes its keys if so. */
  async look(): Promise<void> {
    this.#looking ??= this.#lookOnce(false).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Reads the file, changed or not. */
  async reload(): Promise<void> {
    await this.#looking
    return this.#lookOnce(true)
  }

  close(): void {
    this.#closing.abort()
  }

  async #lookOnce(isForced: boolean): Promise<void> {
    const { path, ring, log } = this.#options
    try {
      const isKnown =
        this.#problem === undefined && fingerprintOf(await stat(path, { bigint: true })) === this.#fingerprint
      if (isKnown && !isForced) return
      const { keys, fingerprint } = await readKeys(path)
      if (this.signal.aborted) return
      this.#fingerprint = fingerprint
      this.#problem = undefined
      ring.replace(keys)
      log.info({ keyCount: keys.length }, 'API keys were read')
    } catch (error) {
      const problem = problemOf(error)
      // A file that stays broken is said once.
      if (problem === this.#problem && !isForced) return
      this.#problem = problem
      this.#failureCount += 1
      log.error({ problem, keyCount: ring.size }, 'API_KEYS_FILE cannot be read: the keys stay as they were')
    }
  }
}

async function readKeys(path: string): Promise<{ keys: ApiKey[]; fingerprint: string }> {
  try {
    await using file = await open(path)
    const stats = await file.stat({ bigint: true })
    if (!stats.isFile()) throw new KeyFileError('it is no file')
    if (stats.size > MAX_KEY_FILE_BYTES) throw new KeyFileError(`it is longer than ${MAX_KEY_FILE_BYTES} bytes`)
    return { keys: parseKeyFile(await file.readFile('utf8')), fingerprint: fingerprintOf(stats) }
  } catch (error) {
    throw error instanceof KeyFileError ? error : new KeyFileError(problemOf(error), { cause: error })
  }
}

/** Differs whenever a file was written or another has taken its place. */
function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

/** What is wrong, without a word of the file. */
function problemOf(error: unknown): string {
  if (error instanceof KeyFileError) return error.message
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read'
}
