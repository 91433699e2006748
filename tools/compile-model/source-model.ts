/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { readSafetensors, type TensorReader, type Tensors } from './safetensors.ts'

/** How token vectors become one sentence vector. */
export type Pooling = 'mean' | 'cls'

/** A BERT sentence encoder as sentence-transformers publishes it: its sizes, and its weights by name. */
export interface SourceModel {
  readonly layerCount: number
  readonly headCount: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layerNormEpsilon: number
  readonly pooling: Pooling
  /** The most tokens of a sentence that the model reads, special tokens included. */
  readonly maxTokens: number
  /** Tensor by its name without the `bert.` that some checkpoints put before it. */
  readonly tensor: TensorReader
}

const Size = Type.Integer({ minimum: 1 })

const BertConfig = Type.Object({
  model_type: Type.Literal('bert'),
  hidden_act: Type.Literal('gelu'),
  position_embedding_type: Type.Optional(Type.Literal('absolute')),
  num_hidden_layers: Size,
  num_attention_heads: Size,
  hidden_size: Size,
  intermediate_size: Size,
  max_position_embeddings: Size,
  layer_norm_eps: Type.Number({ exclusiveMinimum: 0 })
})

const SentenceBertConfig = Type.Object({ max_seq_length: Size })

const PoolingConfig = Type.Record(Type.String(), Type.Unknown())

const POOLING_MODES: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls'
}

/**
 * Opens a folder with config.json, model.safetensors, sentence_bert_config.json and 1_Pooling/config.json.
 * @throws Error that says what was found and what is known, when the architecture, activation or pooling is another
 */
export async function openSourceModel(folder: string): Promise<SourceModel> {
  const config = await readJson(join(folder, 'config.json'), BertConfig)
  const sentenceConfig = await readJson(join(folder, 'sentence_bert_config.json'), SentenceBertConfig)
  return {
    layerCount: config.num_hidden_layers,
    headCount: config.num_attention_heads,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layerNormEpsilon: config.layer_norm_eps,
    pooling: await readPooling(join(folder, '1_Pooling', 'config.json')),
    maxTokens: Math.min(sentenceConfig.max_seq_length, config.max_position_embeddings),
    tensor: withOptionalPrefix(await readSafetensors(join(folder, 'model.safetensors')), 'bert.')
  }
}

async function readPooling(path: string): Promise<Pooling> {
  const config = await readJson(path, PoolingConfig)
  const modes = Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key] === true)
  const pooling = POOLING_MODES[modes[0] ?? '']
  if (modes.length !== 1 || pooling === undefined) {
    const known = Object.keys(POOLING_MODES).join(', ')
    throw new Error(`Cannot compile ${path}: pooling is ${modes.join(' + ') || 'not given'}, known are ${known}`)
  }
  return pooling
}

function withOptionalPrefix(tensors: Tensors, prefix: string): TensorReader {
  return (name) => tensors.read(tensors.has(prefix + name) ? prefix + name : name)
}

/**
 * Reads a JSON file that has to fit a schema.
 * @throws Error that names the file, each field that does not fit and what was wanted of it
 */
export async function readJson<Schema extends TSchema>(path: string, schema: Schema): Promise<Static<Schema>> {
  const found: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (Value.Check(schema, found)) return found
  const problems = Value.Errors(schema, found).map((error) => `${error.instancePath || '/'} ${error.message}`)
  throw new Error(`Cannot read ${path}: ${problems.join('; ')}`)
}
