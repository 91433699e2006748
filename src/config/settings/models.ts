/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { integer } from '../setting.ts'

/** Settings of trained models and of models that users bring: tables, versions, processes, records. */
export const MODEL_SETTINGS = {
  LOADED_MODELS_BYTES: integer({
    default: 268_435_456,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Memory for the cache of trained models, which evicts the least recently used.'
  }),
  MAX_MODEL_VERSIONS: integer({
    default: 20,
    min: 2,
    max: 10_000,
    unit: 'versions',
    doc: 'Versions kept of each model; older ones are deleted, but never the live one.'
  }),
  PROMOTION_MARGIN_PERCENT: integer({
    default: 2,
    min: 0,
    max: 100,
    unit: 'percent',
    doc: 'A new version that answers fewer of the same held-out questions right than the live one, by more than this share of them, is kept but not promoted.'
  }),
  CLASSIFIER_BODY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 1_073_741_824,
    unit: 'bytes',
    doc: 'Longest table to train a classifier on, CSV to predict by or version to import; beyond it 413.'
  }),
  MAX_TRAINING_ROWS: integer({
    default: 100_000,
    min: 2,
    max: 10_000_000,
    unit: 'rows',
    doc: 'Maximum number of rows of a table to train a classifier on; beyond it 413.'
  }),
  MAX_TRAINING_COLUMNS: integer({
    default: 100,
    min: 1,
    max: 10_000,
    unit: 'columns',
    doc: 'Maximum number of columns beside the label of a table to train a classifier on; beyond it 413.'
  }),
  ONNX_PROCESSES: integer({
    default: 1,
    min: 0,
    max: 64,
    unit: 'processes',
    doc: 'Processes for models that users bring as ONNX, started when needed; 0 accepts no such models.'
  }),
  ONNX_MEMORY_BYTES: integer({
    default: 536_870_912,
    min: 268_435_456,
    max: 68_719_476_736,
    unit: 'bytes',
    doc: 'Resident memory of such a process, Node.js and onnxruntime included; beyond it the process is killed and the request answered 422.'
  }),
  ONNX_TIME_LIMIT_MS: integer({
    default: 5000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'Longest time that such a model may take for up to 256 rows, or to be loaded; beyond it the process is killed and the request answered 422.'
  }),
  ONNX_BODY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 1_073_741_824,
    unit: 'bytes',
    doc: 'Longest ONNX file to bring, with its signature; beyond it 413.'
  }),
  MAX_CACHED_EMBEDDINGS: integer({
    default: 200_000,
    min: 0,
    max: 100_000_000,
    unit: 'texts',
    doc: 'Embeddings cached for later trainings, about 2 KB of disk each; the oldest are evicted first.'
  }),
  MAX_ANSWER_RECORDS: integer({
    default: 1_000_000,
    min: 0,
    max: 1_000_000_000,
    unit: 'records',
    doc: 'Asked questions kept, with their answers; the oldest are deleted first.'
  })
} as const
