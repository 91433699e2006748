/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import type { TokenBatch } from './encoder-worker-pool.ts'
import { decodeVector, type GraphKind, type ModelDescription } from './model-files.ts'
import type { Tokenizer } from './tokenizer.ts'

/** Least cosine between a golden embedding and what the loaded model gives. */
const MIN_COSINES: Readonly<Record<GraphKind, number>> = {
  fp32: 0.99999,
  int8: 0.99,
  'int8-saturation-safe': 0.99
}

/** Computes one batch; rowCount × dimensions floats come back. */
export type RunBatch = (batch: TokenBatch) => Promise<{ readonly values: Float32Array }>

/**
 * Encodes the golden sentences, from text to embedding, and compares them with what is known of them.
 * @returns SHA-256 of the embeddings' bytes: what tells machines apart whose results differ in the last bit
 * @throws Error that says which sentence is off, and by how much
 */
export async function runSelfTest(
  description: ModelDescription,
  kind: GraphKind,
  tokenizer: Tokenizer,
  run: RunBatch
): Promise<string> {
  const hash = createHash('sha256')
  for (const [index, { sentence, embedding }] of description.golden.entries()) {
    const ids = Int32Array.from(tokenizer.tokenize(sentence, 'end').ids)
    const { values } = await run({ ids, rowCount: 1, rowTokens: ids.length })
    const wanted = decodeVector(embedding)
    const cosine = values.reduce((sum, value, column) => sum + value * (wanted[column] ?? Number.NaN), 0)
    // Written so that NaN fails.
    if (!(cosine >= MIN_COSINES[kind])) {
      throw new Error(
        `the self-test failed: golden sentence ${index} has cosine ${cosine.toFixed(6)} to its reference, wanted ${MIN_COSINES[kind]}`
      )
    }
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }
  return hash.digest('hex')
}
