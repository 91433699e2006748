/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export const TINY = { hidden: 8, heads: 2, intermediate: 16, vocabulary: 20, positions: 12, layers: 1 } as const

export const TINY_CONFIG = {
  model_type: 'bert',
  hidden_act: 'gelu',
  hidden_size: TINY.hidden,
  num_attention_heads: TINY.heads,
  intermediate_size: TINY.intermediate,
  num_hidden_layers: TINY.layers,
  max_position_embeddings: TINY.positions,
  layer_norm_eps: 1e-12
}

/** Tensors of a BERT with one layer, by name: shapes as checkpoints have them, values from a fixed formula. */
export function tinyTensors(): Map<string, { shape: number[]; data: Float32Array }> {
  const { hidden, intermediate, vocabulary, positions } = TINY
  const layer = 'encoder.layer.0'
  const shapes: Record<string, number[]> = {
    'embeddings.word_embeddings.weight': [vocabulary, hidden],
    'embeddings.position_embeddings.weight': [positions, hidden],
    'embeddings.token_type_embeddings.weight': [2, hidden],
    ...normalization('embeddings.LayerNorm'),
    ...linear(`${layer}.attention.self.query`, hidden, hidden),
    ...linear(`${layer}.attention.self.key`, hidden, hidden),
    ...linear(`${layer}.attention.self.value`, hidden, hidden),
    ...linear(`${layer}.attention.output.dense`, hidden, hidden),
    ...normalization(`${layer}.attention.output.LayerNorm`),
    ...linear(`${layer}.intermediate.dense`, intermediate, hidden),
    ...linear(`${layer}.output.dense`, hidden, intermediate),
    ...normalization(`${layer}.output.LayerNorm`)
  }
  let seed = 0
  return new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1)
      return [name, { shape, data: Float32Array.from({ length: count }, () => Math.sin((seed += 1) * 1.7) / 2) }]
    })
  )
}

function linear(name: string, outputs: number, inputs: number): Record<string, number[]> {
  return { [`${name}.weight`]: [outputs, inputs], [`${name}.bias`]: [outputs] }
}

function normalization(name: string): Record<string, number[]> {
  return { [`${name}.weight`]: [TINY.hidden], [`${name}.bias`]: [TINY.hidden] }
}

/** A file in the safetensors format. */
export function safetensorsFile(tensors: ReadonlyMap<string, { shape: number[]; data: Float32Array }>): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  let offset = 0
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const bodies = [...tensors.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  return Buffer.concat([length, json, ...bodies])
}

/** Writes a sentence-transformers folder (without a tokenizer) and removes it after the test. */
export async function writeTinyModel(t: TestContext, changes: Record<string, unknown> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tiny-model-'))
  t.after(async () => rm(folder, { recursive: true }))
  await mkdir(join(folder, '1_Pooling'))
  const files: Record<string, unknown> = {
    'config.json': TINY_CONFIG,
    'sentence_bert_config.json': { max_seq_length: 10, do_lower_case: false },
    '1_Pooling/config.json': { word_embedding_dimension: TINY.hidden, pooling_mode_mean_tokens: true },
    ...changes
  }
  for (const [name, json] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(json))
  await writeFile(join(folder, 'model.safetensors'), safetensorsFile(tinyTensors()))
  return folder
}
