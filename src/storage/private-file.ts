/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** What the owner of a process may do with a file that it keeps, and nobody else. */
export const PRIVATE_FILE_MODE = 0o600
/** The same of a folder. */
export const PRIVATE_FOLDER_MODE = 0o700

/** Files that SQLite keeps beside a database. It gives new ones the mode of the database itself. */
const SQLITE_ENDINGS = ['-wal', '-shm']

/**
 * Makes the file of a database, and the folders above it, for this process's user alone, whatever its umask. A file that is
 * there already gets the same mode, where it is this user's; folders that are there stay as they are.
 */
export function makePrivateDatabase(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE })
  unlessForeign(() => closeSync(openSync(path, 'a', PRIVATE_FILE_MODE)))
  unlessForeign(() => chmodSync(path, PRIVATE_FILE_MODE))
  for (const ending of SQLITE_ENDINGS) {
    if (existsSync(path + ending)) unlessForeign(() => chmodSync(path + ending, PRIVATE_FILE_MODE))
  }
}

/** A file of another user keeps its mode; what cannot be opened at all SQLite says better. */
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
