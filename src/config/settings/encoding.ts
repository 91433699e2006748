/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { integer, oneOf, text } from '../setting.ts'

/** Settings of the encoder: model, kernels, threads and batches. */
export const ENCODING_SETTINGS = {
  MODEL_PRECISION: oneOf(['int8', 'fp32'], {
    default: 'int8',
    doc: 'Numbers the model computes with: `int8` is several times faster, `fp32` is the reference.'
  }),
  NATIVE_KERNEL: oneOf(
    ['auto', 'amx-int8', 'avx512-vnni', 'avx-vnni', 'avx2', 'neon-i8mm', 'neon-dotprod', 'neon', 'reference'],
    {
      default: 'auto',
      doc: 'Kernels that compute `int8`; `auto` takes the fastest that the CPU can run. All give the same bytes: a slower one is for benchmarks and support.'
    }
  ),
  MODEL_DIR: text({
    default: 'models/all-MiniLM-L6-v2/compiled',
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path',
    doc: 'Folder of the compiled model, as `make download-models` makes it.'
  }),
  ENCODE_WORKERS: integer({
    default: 0,
    min: 0,
    max: 256,
    unit: 'threads',
    doc: 'Threads that compute embeddings; 0 takes as many as the CPU quota gives cores.'
  }),
  MAX_BATCH_TOKENS: integer({
    default: 256,
    min: 16,
    max: 65_536,
    unit: 'tokens',
    doc: 'Budget of one batch. A larger one is a little faster for bulk work, but requests wait longer for a free thread.'
  }),
  MAX_PENDING_TOKENS: integer({
    default: 100_000,
    min: 512,
    max: 100_000_000,
    unit: 'tokens',
    doc: 'Maximum that may wait in each lane, interactive and bulk; beyond it requests are refused at once with 503.'
  }),
  MAX_CALLER_PERCENT: integer({
    default: 50,
    min: 1,
    max: 100,
    unit: 'percent',
    doc: 'The share of `MAX_PENDING_TOKENS`, `BODIES_UNDER_WAY_BYTES` and `MAX_WAITING_BODIES` that one key or user may have; beyond it 429.'
  })
} as const
