/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'

/** Result code of SQLite: another connection holds the lock. */
const SQLITE_BUSY = 5

/** How to wait for the lock. */
export interface LockOptions {
  readonly signal: AbortSignal
  /** Called once when another process holds the lock. */
  readonly onWait: () => void
  /** @default 500 */
  readonly pollMs?: number
}

/**
 * Holds the lock file at `path` while `work` runs, so that one process at a time does it. The lock is SQLite's own,
 * on the open file: the system releases it when a process dies in any way, so it never becomes stale.
 */
export async function withLockFile<Result>(
  path: string,
  { signal, onWait, pollMs = 500 }: LockOptions,
  work: () => Promise<Result>
): Promise<Result> {
  await mkdir(dirname(path), { recursive: true })
  using database = new DatabaseSync(path)
  for (let attempt = 0; !tryLock(database); attempt += 1) {
    if (attempt === 0) onWait()
    await wait(pollMs, undefined, { signal })
  }
  return await work()
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false
    throw error
  }
}
