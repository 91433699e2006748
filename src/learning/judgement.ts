/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'

const SAMPLE_KEY_CHARACTERS = 16

/** Whether an out-of-fold model gave a sample its right answer. */
export interface Judgement {
  /** Hash of the sample's text and answer. */
  readonly sample: string
  readonly isRight: boolean
}

/** Key of a sample in {@link Judgement}: equal for equal text and answer, in every version. */
export function sampleKey(text: string, classId: string): string {
  return hash('sha256', JSON.stringify([text, classId]), 'base64url').slice(0, SAMPLE_KEY_CHARACTERS)
}
