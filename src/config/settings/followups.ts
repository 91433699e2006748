/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { flag, text } from '../setting.ts'

/** Settings of how followup questions are chosen and ranked. */
export const FOLLOWUP_SETTINGS = {
  SEMANTIC_DEDUP: flag({
    default: false,
    doc: 'Whether to leave out followup questions that mean about the same as another one, or as a question that is answered (cosine above 0.92).'
  }),
  POP_CULTURE_FILE: text({
    default: undefined,
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path',
    doc: 'File of names that everybody knows, one on each line; followup questions about them are ranked lower.'
  })
} as const
