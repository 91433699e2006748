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

/** Source of a key file: a file on disk or a secret. */
export interface KeyFileSource {
  /** How often it is checked. */
  readonly intervalMs: number
  /**
   * Reads it. @returns undefined when it is still the version `known`
   * @throws an error with a `code` that may be logged
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
 * Reads the key file from disk. It is polled by its path every second, not watched: editors, configuration tools and
 * Kubernetes replace files, folders or symbolic links, which a watch of the old file misses, and network disks report nothing.
 */
export function keyFileAt(path: string, intervalMs = INTERVAL_MS): KeyFileSource {
  return {
    intervalMs,
    async readIfNot(known) {
      if (known !== undefined && versionOf(await stat(path, { bigint: true })) === known) return undefined
      await using file = await open(path)
      const stats = await file.stat({ bigint: true })
      if (!stats.isFile()) throw new KeyFileError('it is not a file')
      if (stats.size > MAX_KEY_FILE_BYTES) throw new KeyFileError(`it is longer than ${MAX_KEY_FILE_BYTES} bytes`)
      return { text: await file.readFile('utf8'), version: versionOf(stats) }
    }
  }
}

/**
 * Reads a key file into a ring, now and whenever it has changed.
 * @throws {KeyFileError} when the first read fails
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

/** Follows the changes of a key file. A changed file that is invalid leaves the keys as they are. */
export class WatchedKeyFile {
  readonly #options: WatchKeyFileOptions
  readonly #closing = new AbortController()
  #version: string
  /** Problem of the last read; the file is read again until it is valid. */
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

  /** Number of failed reads of a changed file. */
  get failureCount(): number {
    return this.#failureCount
  }

  /** Whether the file is invalid, so that older keys are in use. */
  get isBehind(): boolean {
    return this.#problem !== undefined
  }

  /** Checks whether the file has changed, and if so reads its keys. */
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
      // The same problem is logged once.
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

/** Version of a file, which differs once it was written or replaced. */
function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

/** Describes a problem without quoting the file. */
function problemOf(error: unknown): string {
  if (error instanceof KeyFileError) return error.message
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read'
}
