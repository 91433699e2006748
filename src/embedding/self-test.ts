/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import type { TokenBatch } from './token-batch.ts'
import { decodeVector, type ModelDescription, type Precision } from './model-files.ts'
import type { Tokenizer } from './tokenizer.ts'

/** Minimum cosine similarity between a golden embedding and that of the loaded model. */
const MIN_COSINES: Readonly<Record<Precision, number>> = { fp32: 0.99999, int8: 0.99 }

/** Computes one batch: sentences × dimensions, row-major. */
export type RunBatch = (batch: TokenBatch) => Promise<{ readonly values: Float32Array }>

/** A batch of more tokens would make onnxruntime reserve memory that no batch of requests needs later. */
const MAX_BATCHED_TOKENS = 256

/**
 * Encodes the golden sentences, from text to embedding, and compares them with their references: each alone, then in
 * batches, which must give the same bytes. int8 gives the same bytes on every machine, so bytes that differ from those
 * at the model's compilation are an error too.
 * @param maxSentences the most sentences of a batch
 * @returns SHA-256 of the embeddings' bytes
 * @throws Error that says which sentence or batch differs, and by how much
 */
export async function runSelfTest(
  description: ModelDescription,
  precision: Precision,
  tokenizer: Tokenizer,
  maxSentences: number,
  run: RunBatch
): Promise<string> {
  const golden = description.golden.map(({ sentence, embedding }) => ({
    ids: tokenizer.tokenize(sentence, 'end').ids,
    wanted: decodeVector(embedding)
  }))
  const hash = createHash('sha256')
  const alone: Buffer[] = []
  for (const [index, { ids, wanted }] of golden.entries()) {
    const { values } = await run({ ids: Int32Array.from(ids), lengths: [ids.length] })
    const cosine = values.reduce((sum, value, column) => sum + value * (wanted[column] ?? Number.NaN), 0)
    // Written so that NaN fails.
    if (!(cosine >= MIN_COSINES[precision])) {
      throw new Error(
        `the self-test failed: golden sentence ${index} has cosine ${cosine.toFixed(6)} to its reference, wanted ${MIN_COSINES[precision]}`
      )
    }
    alone.push(bytesOf(values))
    hash.update(bytesOf(values))
  }
  for (const members of batchesOf(
    golden.map(({ ids }) => ids.length),
    maxSentences
  )) {
    const rows = members.map((index) => golden[index]?.ids ?? new Int32Array())
    const { values } = await run({
      ids: Int32Array.from(rows.flatMap((ids) => [...ids])),
      lengths: rows.map((ids) => ids.length)
    })
    const together = Buffer.concat(members.map((index) => alone[index] ?? Buffer.alloc(0)))
    if (!bytesOf(values).equals(together)) {
      throw new Error(`the self-test failed: in a batch of ${members.length}, sentences have other bytes than alone`)
    }
  }
  const digest = hash.digest('hex')
  const wantedDigest = precision === 'int8' ? description.int8?.goldenDigest : digest
  if (digest !== wantedDigest) {
    throw new Error(
      `the self-test failed: the embeddings of the golden sentences have SHA-256 ${digest} here, wanted ${wantedDigest}`
    )
  }
  return digest
}

/**
 * Groups all sentences, in order, into batches of as many as fit.
 * @returns indexes of the sentences of each batch
 */
function batchesOf(tokenCounts: readonly number[], maxSentences: number): number[][] {
  const found: number[][] = []
  let room = 0
  for (const [index, tokenCount] of tokenCounts.entries()) {
    const last = found.at(-1)
    if (last === undefined || last.length === maxSentences || tokenCount > room) {
      found.push([index])
      room = MAX_BATCHED_TOKENS - tokenCount
    } else {
      last.push(index)
      room -= tokenCount
    }
  }
  return found
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}
