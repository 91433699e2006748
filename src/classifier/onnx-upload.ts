/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Encoder, EncodeOptions } from '../embedding/encoder.ts'
import { readJson } from '../reading/bounded-json.ts'
import { ServiceError } from '../errors.ts'
import { preparedModel } from '../onnx/prepared-model.ts'
import type { OnnxProcessPool } from '../onnx/onnx-process-pool.ts'
import { bodyAsUtf8 } from '../reading/text-reader.ts'
import { evaluate } from '../learning/evaluation.ts'
import { modelHashOf, type NewVersion } from '../versions/model-store.ts'
import { bindOnnx, type OnnxSignature } from '../versions/onnx-binding.ts'
import { runOnnx, trialColumns } from './onnx-classifier.ts'
import { nameReport } from '../learning/named-report.ts'

const MAX_NAME_CHARACTERS = 100
const MAX_CLASS_CHARACTERS = 200
const MAX_FEATURES = 1000
const MAX_CLASSES = 10_000
const TRIAL_ROWS = 2

const ColumnSchema = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: MAX_NAME_CHARACTERS }), type: Type.Enum(['text', 'number']) },
  { additionalProperties: false }
)

/** Signature that is sent with an uploaded model, as JSON. */
const UploadSignature = Type.Object(
  {
    features: Type.Array(ColumnSchema, { minItems: 1, maxItems: MAX_FEATURES }),
    label: ColumnSchema,
    classes: Type.Array(Type.Union([Type.String({ minLength: 1, maxLength: MAX_CLASS_CHARACTERS }), Type.Number()]), {
      minItems: 2,
      maxItems: MAX_CLASSES
    }),
    output: Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))
  },
  { additionalProperties: false }
)

/** Dependencies of {@link readUpload}. */
export interface OnnxUploadDependencies {
  readonly pool: OnnxProcessPool
  readonly encoder: Encoder
}

/**
 * Inspects a model that a user uploads without running it, then binds it to its signature and runs it on two trial
 * rows. The same file with the same signature gives the same version when it is sent again.
 * @param file bytes of the ONNX file
 * @param signatureJson an `UploadSignature`
 * @param by who uploads it
 * @throws {ServiceError} INVALID_REQUEST with all problems, refused operators by name; UNPROCESSABLE when it fails its
 *   trial
 */
export async function readUpload(
  file: Uint8Array,
  signatureJson: Uint8Array,
  by: string,
  { pool, encoder }: OnnxUploadDependencies,
  options: EncodeOptions
): Promise<NewVersion> {
  const startMs = performance.now()
  const { classIds, ...signature } = readSignature(signatureJson)
  const inspection = await pool.inspect(file)
  if (inspection.outcome === 'refused') throw refused(inspection.problems)
  const bound = bindOnnx(inspection.summary, { classIds, ...signature }, encoder.dimensions)
  if (bound.outcome === 'refused') throw refused(bound.problems)
  const { binding } = bound
  const model = inspection.summary.needsPreparation === true ? preparedModel(file) : file
  const modelHash = modelHashOf(model)
  const runnable = { key: modelHash, read: async () => model }
  const columns = trialColumns(signature.features, TRIAL_ROWS)
  await runOnnx({ model: runnable, binding, pool, encoder }, columns, TRIAL_ROWS, options)
  const notMeasured = ['It was trained elsewhere: nothing is known here of how good it is.']
  const readsEmbeddings =
    signature.features.some(({ type }) => type === 'text') &&
    (binding.inputs.kind === 'matrix' ||
      binding.inputs.columns.some(
        ({ name, type }) =>
          type !== 'string' && signature.features.some((feature) => feature.name === name && feature.type === 'text')
      ))
  return {
    model,
    judgements: [],
    reportJson: JSON.stringify({ evaluation: NOTHING_JUDGED, notMeasured, nearDuplicates: [] }),
    details: {
      architecture: 'onnx',
      onnx: binding,
      signature: { features: signature.features, label: signature.label },
      dataHash: modelHash,
      encoderRevision: readsEmbeddings ? encoder.revision : null,
      classCount: classIds.length,
      sampleCount: 0,
      figures: NOTHING_MEASURED,
      notMeasured,
      durationMs: Math.round(performance.now() - startMs),
      jobId: `upload-${modelHash}-${hash('sha256', JSON.stringify([signature, classIds]))}`,
      trainedBy: by
    }
  }
}

const NOTHING_MEASURED = {
  questionCount: 0,
  accuracy: null,
  macroF1: null,
  calibrationError: null,
  offTopicAuroc: null,
  offTopicRefused: null,
  refused: null
}
const NOTHING_JUDGED = nameReport(evaluate([], true), [], [])

/** @throws {ServiceError} INVALID_REQUEST */
function readSignature(json: Uint8Array): OnnxSignature {
  const utf8 = bodyAsUtf8(json)
  let value: unknown
  try {
    value = readJson(utf8, {})
  } catch {
    throw invalidSignature('it is not JSON')
  }
  if (!Value.Check(UploadSignature, value)) {
    const [problem] = Value.Errors(UploadSignature, value)
    throw invalidSignature(`${problem?.instancePath.slice(1) ?? ''} ${problem?.message ?? 'is not valid'}`.trim())
  }
  const { features, label, classes, output } = value
  if (new Set(features.map(({ name }) => name)).size < features.length)
    throw invalidSignature('a feature is there twice')
  if (label.type === 'number' && !classes.every((one) => Number.isFinite(Number(one)))) {
    throw invalidSignature('classes of a number label are numbers')
  }
  const classIds = classes.map((one) => (label.type === 'number' ? String(Number(one)) : String(one)))
  if (new Set(classIds).size < classIds.length) throw invalidSignature('a class is there twice')
  return {
    // Texts come first, as in a feature vector.
    features: [...features.filter(({ type }) => type === 'text'), ...features.filter(({ type }) => type === 'number')],
    label,
    classIds,
    ...(output !== undefined && { output })
  }
}

function invalidSignature(found: string): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot take the model: its signature: ${found}`, {
    fields: { signature: [found] }
  })
}

function refused(problems: readonly string[]): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot take the model: ${problems.join('; ')}`, {
    fields: { model: problems }
  })
}
