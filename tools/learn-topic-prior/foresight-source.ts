/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ForesightPrior } from '../../src/learning/foresight.ts'
import type { confidenceQuantiles } from './fit-foresight.ts'

/** The file that has the numbers. */
export const FORESIGHT_SOURCE = join(import.meta.dirname, '../../src/learning/foresight-prior.ts')

/**
 * Replaces the numbers of {@link FORESIGHT_SOURCE}; its comments stay. `npm run format` then lays it out.
 * @throws Error when the source has other constants
 */
export function withForesight(
  source: string,
  foresight: ForesightPrior,
  confidences: ReturnType<typeof confidenceQuantiles>
): string {
  let written = source
  for (const [name, value] of Object.entries({ FORESIGHT_PRIOR: foresight, CONFIDENCE_PRIOR: confidences })) {
    const constant = new RegExp(`(export const ${name} = )\\{[^]*?\\n\\}( as const)`)
    if (!constant.test(written)) throw new Error(`Cannot write ${name}: the source has no such constant`)
    written = written.replace(constant, (_, before: string, after: string) => before + literalOf(value) + after)
  }
  return written
}

/** Writes what was learned into the source. */
export async function writeForesight(
  foresight: ForesightPrior,
  confidences: ReturnType<typeof confidenceQuantiles>
): Promise<void> {
  await writeFile(FORESIGHT_SOURCE, withForesight(await readFile(FORESIGHT_SOURCE, 'utf8'), foresight, confidences))
}

function literalOf(value: object): string {
  return JSON.stringify(value).replaceAll(/"(\w+)":/g, '$1:')
}
