/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** Mode of a private file: only the process's user may read and write it. */
export const PRIVATE_FILE_MODE = 0o600
/** Mode of a private folder. */
export const PRIVATE_FOLDER_MODE = 0o700

/** Suffixes of the files that SQLite keeps beside a database. It creates them with the mode of the database itself. */
const SQLITE_ENDINGS = ['-wal', '-shm']

/**
 * Creates a database file, and missing folders above it, that only this process's user can access, whatever the umask. An
 * existing file gets the same mode if it belongs to this user; existing folders stay as they are.
 */
export function makePrivateDatabase(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE })
  unlessForeign(() => closeSync(openSync(path, 'a', PRIVATE_FILE_MODE)))
  unlessForeign(() => chmodSync(path, PRIVATE_FILE_MODE))
  for (const ending of SQLITE_ENDINGS) {
    if (existsSync(path + ending)) unlessForeign(() => chmodSync(path + ending, PRIVATE_FILE_MODE))
  }
}

/** Ignores that a file of another user keeps its mode, or that a file cannot be opened, which SQLite then reports better. */
function unlessForeign(change: () => void): void {
  try {
    change()
  } catch (error) {
    const isForeign =
      error instanceof Error &&
      'code' in error &&
      ['EPERM', 'ENOENT', 'EISDIR', 'EACCES', 'EROFS'].includes(String(error.code))
    if (!isForeign) throw error
  }
}
