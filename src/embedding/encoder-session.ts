/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { TokenBatch } from './encoder-worker-pool.ts'
import { graphFile, MAX_BATCH_SENTENCES, weightsFile, WORD_EMBEDDINGS_FILE } from './model-files.ts'

/** A model that is loaded, for the thread that has loaded it: that thread is busy while it encodes. */
export interface EncoderSession {
  /**
   * Encodes a batch of at most {@link MAX_BATCH_SENTENCES} sentences, none of them empty.
   * @returns sentences × dimensions, row-major
   */
  encode(batch: TokenBatch): Promise<Float32Array<ArrayBuffer>>
  close(): Promise<void>
}

/**
 * Loads a graph of a compiled model: `int8-native` into our own encoder, all others into onnxruntime.
 * @param graphPath as `graphFile` names it, in the model's folder
 * @throws Error when it cannot be loaded
 */
export async function openEncoderSession(graphPath: string): Promise<EncoderSession> {
  return graphPath.endsWith(graphFile('int8-native')) ? openNative(graphPath) : openOnnx(graphPath)
}

async function openOnnx(graphPath: string): Promise<EncoderSession> {
  // Only where it is needed: it takes tens of megabytes.
  const { InferenceSession } = await import('onnxruntime-node')
  const { graphInputs } = await import('./graph-inputs.ts')
  const session = await InferenceSession.create(graphPath, {
    executionProviders: ['cpu'],
    // Fusions beyond the basic ones replace nodes by slower ones on CPU, and would undo what keeps rows apart.
    graphOptimizationLevel: 'basic',
    intraOpNumThreads: 1,
    interOpNumThreads: 1
  })
  return {
    encode: async (batch) => {
      const outputs = await session.run(graphInputs(batch, MAX_BATCH_SENTENCES))
      const found = outputs['embedding']?.data
      if (!(found instanceof Float32Array)) throw new TypeError('the graph gave no embedding')
      // The places that stayed empty have rows too. What onnxruntime allocated cannot be transferred: a copy can.
      return found.slice(0, (found.length / MAX_BATCH_SENTENCES) * batch.lengths.length)
    },
    close: async () => session.release()
  }
}

/** What src/embedding/native/binding.c gives. */
interface NativeEncoder {
  /** @throws TypeError when the files are not those of a model */
  open(weightsPath: string, wordsPath: string): unknown
  dimensions(encoder: unknown): number
  /** @throws TypeError when the arrays do not fit together, or the model */
  encode(encoder: unknown, ids: Int32Array, lengths: Int32Array, embeddings: Float32Array): void
}

async function openNative(programPath: string): Promise<EncoderSession> {
  const folder = dirname(programPath)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compiled from binding.c
  const native = createRequire(import.meta.url)(programPath) as NativeEncoder
  const encoder = native.open(join(folder, weightsFile('int8-native')), join(folder, WORD_EMBEDDINGS_FILE))
  const dimensions = native.dimensions(encoder)
  return {
    encode: async ({ ids, lengths }) => {
      const embeddings = new Float32Array(lengths.length * dimensions)
      native.encode(encoder, ids, Int32Array.from(lengths), embeddings)
      return embeddings
    },
    // Its memory is a mapping of files, which goes with the object.
    close: async () => undefined
  }
}
