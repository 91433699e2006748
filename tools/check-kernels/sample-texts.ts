/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
/** What a text gets appended to, so that some are as long as the model reads. */
const LONG_EVERY = 50
const LONG_PARTS = 40

/** Texts of all lengths: sentences of the compiler's lists, pairs of them, and now and then many in one. */
export async function sampleTexts(count: number): Promise<string[]> {
  const files = ['tools/compile-model/validation.txt', 'tools/compile-model/calibration.txt']
  const lines = (await Promise.all(files.map(async (name) => readFile(join(ROOT, name), 'utf8'))))
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '')
  const lineAt = (index: number): string => lines[index % lines.length] ?? ''
  return Array.from({ length: count }, (_, index) => {
    if (index % LONG_EVERY === LONG_EVERY - 1) {
      return Array.from({ length: LONG_PARTS }, (_part, part) => lineAt(index + part)).join(' ')
    }
    return index < lines.length ? lineAt(index) : `${lineAt(index)} ${lineAt(index * 7)}`
  })
}
