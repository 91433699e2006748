/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { open, stat } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import type { FastifyBaseLogger } from 'fastify'
import { KeyFileError, MAX_KEY_FILE_BYTES, parseKeyFile, type ApiKey } from './key-file.ts'
import type { KeyRing } from './key-ring.ts'

/** Where a file of keys is kept. */
export interface KeyFileSource {
  /** How often it is looked at. */
  readonly intervalMs: number
  /**
   * Reads it, unless it is still the version that is known.
   * @throws what is wrong, with a `code` that may be logged
   */
  readIfNot(known: string | undefined): Promise<{ readonly text: string; readonly version: string } | undefined>
}

/** Options of {@link watchKeyFile}. */
export interface WatchKeyFileOptions {
  readonly source: KeyFileSource
  readonly ring: KeyRing
  readonly log: Pick<FastifyBaseLogger, 'info' | 'error'>
}

const INTERVAL_MS = 1000

/**
 * A file on disk. It is looked at by its path each second: editors, configuration tools and Kubernetes replace files, folders or symbolic
 * links, which a watch of the old file would not tell of, and network disks tell nothing at all.
 */
export function keyFileAt(path: string, intervalMs = INTERVAL_MS): KeyFileSource {
  return {
    intervalMs,
    async readIfNot(known) {
      if (known !== undefined && versionOf(await stat(path, { bigint: true })) === known) return undefined
      await using file = await open(path)
      const stats = await file.stat({ bigint: true })
      if (!stats.isFile()) throw new KeyFileError('it is no file')
      if (stats.size > MAX_KEY_FILE_BYTES) throw new KeyFileError(`it is longer than ${MAX_KEY_FILE_BYTES} bytes`)
      return { text: await file.readFile('utf8'), version: versionOf(stats) }
    }
  }
}

/**
 * Reads a file of keys into a ring, and again whenever it has changed.
 * @throws {KeyFileError} when the file cannot be read now
 */
export async function watchKeyFile(options: WatchKeyFileOptions): Promise<WatchedKeyFile> {
  const { source, ring } = options
  const { keys, version } = await readKeys(source)
  ring.replace(keys)
  const watched = new WatchedKeyFile(options, version)
  const timer = setInterval(() => void watched.look(), source.intervalMs).unref()
  watched.signal.addEventListener('abort', () => clearInterval(timer))
  return watched
}

/** A file of keys whose changes are followed. A changed file that is broken leaves the keys as they are. */
export class WatchedKeyFile {
  readonly #options: WatchKeyFileOptions
  readonly #closing = new AbortController()
  #version: string
  /** What was wrong when the file was last read; it is tried again until it is right. */
  #problem: string | undefined
  #failureCount = 0
  #looking: Promise<void> | undefined

  constructor(options: WatchKeyFileOptions, version: string) {
    this.#options = options
    this.#version = version
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
    const { source, ring, log } = this.#options
    try {
      const known = this.#problem === undefined && !isForced ? this.#version : undefined
      const found = await source.readIfNot(known)
      if (found === undefined || this.signal.aborted) return
      const keys = parseKeyFile(found.text)
      this.#version = found.version
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

async function readKeys(source: KeyFileSource): Promise<{ keys: ApiKey[]; version: string }> {
  try {
    const found = await source.readIfNot(undefined)
    assert(found !== undefined, 'This is a bug: nothing is known yet')
    return { keys: parseKeyFile(found.text), version: found.version }
  } catch (error) {
    throw error instanceof KeyFileError ? error : new KeyFileError(problemOf(error), { cause: error })
  }
}

/** Differs whenever a file was written or another has taken its place. */
function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

/** What is wrong, without a word of the file. */
function problemOf(error: unknown): string {
  if (error instanceof KeyFileError) return error.message
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read'
}
