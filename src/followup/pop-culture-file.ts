/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync } from 'node:fs'
import { ConfigError } from '../config/load-config.ts'
import { PopCulture } from './pop-culture.ts'

/** Maximum size of the list, in bytes: some 50,000 names. */
const MAX_LIST_BYTES = 1_048_576

/**
 * Reads a list of names.
 * @param path path of the list; left out, the list is empty
 * @throws {ConfigError} when it cannot be read or is too long
 */
export function readPopCulture(path: string | undefined): PopCulture {
  if (path === undefined) return new PopCulture()
  let list: Buffer
  try {
    list = readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new ConfigError([`POP_CULTURE_FILE: cannot be read (${code})`])
  }
  if (list.length > MAX_LIST_BYTES) {
    throw new ConfigError([`POP_CULTURE_FILE: ${list.length} bytes, at most ${MAX_LIST_BYTES} are read`])
  }
  return new PopCulture(list.toString('utf8'))
}
