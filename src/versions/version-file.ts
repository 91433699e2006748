/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { readJson } from '../reading/bounded-json.ts'
import { ServiceError } from '../errors.ts'
import { ClassifierModel } from '../learning/classifier-model.ts'
import { ModelFigures } from '../learning/model-figures.ts'
import type { ModelVersion, NewVersion, VersionDetails } from './model-store.ts'
import type { Judgement } from '../learning/judgement.ts'
import { DamagedFileError, sealFile, unsealFile } from '../storage/sealed-file.ts'

const VERSION_FILE = { magic: 'SBVF', format: 1 }

const Column = Type.Object({ name: Type.String({ maxLength: 200 }), type: Type.Enum(['text', 'number']) })
const Header = Type.Object({
  architecture: Type.Enum(['softmax', 'ridge', 'logistic']),
  signature: Type.Object({ features: Type.Array(Column, { minItems: 1 }), label: Column }),
  dataHash: Type.String({ maxLength: 200 }),
  encoderRevision: Type.Union([Type.String({ maxLength: 200 }), Type.Null()]),
  classCount: Type.Integer({ minimum: 1 }),
  sampleCount: Type.Integer({ minimum: 1 }),
  figures: ModelFigures,
  notMeasured: Type.Array(Type.String()),
  durationMs: Type.Number(),
  reportBytes: Type.Integer({ minimum: 0 }),
  judgementsBytes: Type.Integer({ minimum: 0 }),
  modelBytes: Type.Integer({ minimum: 0 })
})
type Header = Static<typeof Header>
const Judgements = Type.Array(Type.Object({ sample: Type.String({ maxLength: 64 }), isRight: Type.Boolean() }))
/** Fields of a report that are read here; the rest is kept as it is. */
const Report = Type.Object({
  evaluation: Type.Object({
    classes: Type.Array(Type.Object({ classId: Type.String(), f1: Type.Union([Type.Number(), Type.Null()]) })),
    errors: Type.Array(Type.Object({ question: Type.String(), classId: Type.String(), predictedId: Type.String() }))
  }),
  notMeasured: Type.Array(Type.String()),
  nearDuplicates: Type.Array(Type.Unknown())
})

/**
 * Writes a version as one sealed file `SBVF` (`sealFile`); its parts are the report (JSON), the judgements (JSON) and
 * the model. The file leaves out the number of the version and who trained it, which mean nothing elsewhere.
 * @throws {ServiceError} CONFLICT for a model that a user uploaded: an import would have to check it again
 */
export function writeVersionFile(version: ModelVersion, stored: Omit<NewVersion, 'details'>): Uint8Array {
  const report = Buffer.from(stored.reportJson)
  const judgements = Buffer.from(JSON.stringify(stored.judgements))
  const { architecture, signature, dataHash, encoderRevision, classCount, sampleCount } = version
  const { figures, notMeasured, durationMs } = version
  if (architecture === 'onnx') {
    throw new ServiceError(
      'CONFLICT',
      'Cannot export the version: it was brought as ONNX, bring the same file elsewhere'
    )
  }
  const header: Header = {
    architecture,
    signature: { features: signature.features.map((column) => ({ ...column })), label: { ...signature.label } },
    dataHash,
    encoderRevision,
    classCount,
    sampleCount,
    figures,
    notMeasured: [...notMeasured],
    durationMs,
    reportBytes: report.length,
    judgementsBytes: judgements.length,
    modelBytes: stored.model.length
  }
  return sealFile(VERSION_FILE, header, [report, judgements, stored.model])
}

/**
 * Reads a file of {@link writeVersionFile}. A file is only data, never run; its model must load and match the header.
 * Importing the same file again gives the same version.
 * @param by who imports it
 * @throws {ServiceError} INVALID_REQUEST when it is not such a file, was changed or contradicts itself
 */
export function readVersionFile(bytes: Uint8Array, by: string): NewVersion {
  try {
    const { header, body } = unsealFile(VERSION_FILE, bytes)
    if (!Value.Check(Header, header)) throw new DamagedFileError('the header lacks a field')
    const { reportBytes, judgementsBytes, modelBytes, ...described } = header
    const report = body.take(reportBytes)
    const reportJson = Buffer.from(report).toString()
    const judgements: readonly Judgement[] = parsePart(Judgements, body.take(judgementsBytes))
    const model = body.take(modelBytes)
    body.assertEnd()
    parsePart(Report, report)
    const details: VersionDetails = { ...described, jobId: `import-${hash('sha256', bytes)}`, trainedBy: by }
    assertAgrees(details, loadModel(model))
    return { details, model, reportJson, judgements }
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error
    throw new ServiceError('INVALID_REQUEST', `Cannot import the version: ${error.message}`)
  }
}

/** Maximum heap for parsing a part; the report of many thousand samples takes some ten megabytes. */
const MAX_PART_HEAP_BYTES = 134_217_728

function parsePart<T extends typeof Judgements | typeof Report>(schema: T, json: Uint8Array): Static<T> {
  const value = readJson(json, { maxJsonHeapBytes: MAX_PART_HEAP_BYTES }, { action: 'Cannot import the version' })
  if (!Value.Check(schema, value)) throw new DamagedFileError('a part lacks a field')
  return value
}

function loadModel(model: Uint8Array): ClassifierModel {
  try {
    return ClassifierModel.load(model)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw new DamagedFileError(`its model does not load: ${error.message}`)
  }
}

function assertAgrees(details: VersionDetails, model: ClassifierModel): void {
  const { architecture, signature, encoderRevision, classCount } = details
  const types = signature.features.map(({ type }) => type)
  const numberCount = types.filter((type) => type === 'number').length
  const hasTexts = numberCount < types.length
  const agrees =
    model.architecture === architecture &&
    model.classIds.length === classCount &&
    model.encoderRevision === encoderRevision &&
    model.numberCount === numberCount &&
    hasTexts === model.dimensions > 0 &&
    hasTexts === (encoderRevision !== null) &&
    // Texts come first.
    !types.includes('text', types.indexOf('number') < 0 ? types.length : types.indexOf('number')) &&
    new Set(signature.features.map(({ name }) => name)).size === types.length
  if (!agrees) throw new DamagedFileError('its model is not what its header says')
}
