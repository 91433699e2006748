/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import type { TokenBatch } from './token-batch.ts'
import { GRAPH_FILE, MAX_BATCH_SENTENCES, weightsFile, WORD_EMBEDDINGS_FILE } from './model-files.ts'
import { loadNativeProgram } from './native-program.ts'

/** A loaded model. Encoding blocks the thread that loaded it. */
export interface EncoderSession {
  /**
   * Encodes a batch of at most {@link MAX_BATCH_SENTENCES} sentences, none of them empty.
   * @returns sentences × dimensions, row-major
   */
  encode(batch: TokenBatch): Promise<Float32Array<ArrayBuffer>>
  close(): Promise<void>
}

/** A compiled model and its runtime: onnxruntime or our own kernels. */
export type SessionSource =
  | { readonly precision: 'fp32'; readonly folder: string }
  | { readonly precision: 'int8'; readonly folder: string; readonly programPath: string; readonly kernel: string }

/**
 * Loads a compiled model.
 * @throws Error when it cannot be loaded
 */
export async function openEncoderSession(source: SessionSource): Promise<EncoderSession> {
  return source.precision === 'fp32' ? openOnnx(join(source.folder, GRAPH_FILE)) : openNative(source)
}

async function openOnnx(graphPath: string): Promise<EncoderSession> {
  // Imported only where it is needed: it takes tens of megabytes.
  const { InferenceSession } = await import('onnxruntime-node')
  const { graphInputs } = await import('./graph-inputs.ts')
  const session = await InferenceSession.create(graphPath, {
    executionProviders: ['cpu'],
    // Fusions beyond the basic ones are slower on CPU, and would undo what makes the graph batch-invariant.
    graphOptimizationLevel: 'basic',
    intraOpNumThreads: 1,
    interOpNumThreads: 1
  })
  return {
    encode: async (batch) => {
      const outputs = await session.run(graphInputs(batch, MAX_BATCH_SENTENCES))
      const found = outputs['embedding']?.data
      if (!(found instanceof Float32Array)) throw new TypeError('the graph gave no embedding')
      // Empty sentences have rows too. A buffer that onnxruntime allocated cannot be transferred; a copy can.
      return found.slice(0, (found.length / MAX_BATCH_SENTENCES) * batch.lengths.length)
    },
    close: async () => session.release()
  }
}

async function openNative({
  folder,
  programPath,
  kernel
}: Extract<SessionSource, { precision: 'int8' }>): Promise<EncoderSession> {
  const program = loadNativeProgram(programPath)
  const encoder = program.open(join(folder, weightsFile('int8')), join(folder, WORD_EMBEDDINGS_FILE), kernel)
  const dimensions = program.dimensions(encoder)
  return {
    encode: async ({ ids, lengths }) => {
      const embeddings = new Float32Array(lengths.length * dimensions)
      program.encode(encoder, ids, Int32Array.from(lengths), embeddings)
      return embeddings
    },
    // Its memory maps files and is unmapped when the object is collected.
    close: async () => undefined
  }
}
