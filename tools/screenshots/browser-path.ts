/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Where a browser is on this machine: `CHROMIUM_PATH`, or a program of the path. */
export function browserPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':')
  const found = PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
  return process.env['CHROMIUM_PATH'] ?? found
}
