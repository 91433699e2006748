/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import { SETTINGS } from '../../../src/config/settings.ts'
import { LocalEncoder } from '../../../src/embedding/local-encoder.ts'
import type { Precision } from '../../../src/embedding/model-files.ts'
import { findNativeProgram, loadNativeProgram } from '../../../src/embedding/native-program.ts'

/** The compiled model of `make download-models`. */
const COMPILED_MODEL = join(import.meta.dirname, '../../../models/all-MiniLM-L6-v2/compiled')

/** Kernels of int8 that this machine can run, the fastest first, without the definition; none without a native encoder. */
export async function kernelsOfThisMachine(): Promise<string[]> {
  const path = await findNativeProgram()
  if (path === undefined) return []
  return loadNativeProgram(path)
    .kernels()
    .filter((kernel) => kernel !== 'reference')
}

/**
 * The encoder as the service runs it, with one thread that computes.
 * @param kernel of int8: the fastest unless given
 */
export async function openEncoder(precision: Precision, kernel = 'auto'): Promise<LocalEncoder> {
  const encoder = new LocalEncoder({
    folder: COMPILED_MODEL,
    precision,
    kernel,
    workerCount: 1,
    maxBatchTokens: SETTINGS.MAX_BATCH_TOKENS.default,
    maxPendingTokens: SETTINGS.MAX_PENDING_TOKENS.default,
    maxCallerShare: 1
  })
  await encoder.start()
  return encoder
}
