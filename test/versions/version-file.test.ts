/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packLogisticModel } from '../../src/learning/classifier-model.ts'
import { modelHashOf, type ModelVersion } from '../../src/versions/model-store.ts'
import { sealFile } from '../../src/storage/sealed-file.ts'
import { readVersionFile, writeVersionFile } from '../../src/versions/version-file.ts'

const model = packLogisticModel(
  {
    softmax: {
      classCount: 2,
      dimensions: 1,
      coefficients: Float32Array.of(-1, 1),
      intercepts: Float32Array.of(0, 0)
    },
    standardisation: { means: Float64Array.of(0), scales: Float64Array.of(1) }
  },
  0,
  { classIds: ['0', '1'], encoderRevision: null }
)

const VERSION: ModelVersion = {
  architecture: 'logistic',
  signature: { features: [{ name: 'x', type: 'number' }], label: { name: 'label', type: 'number' } },
  dataHash: 'data',
  encoderRevision: null,
  classCount: 2,
  sampleCount: 4,
  figures: {
    questionCount: 4,
    accuracy: 1,
    macroF1: 1,
    calibrationError: 0.1,
    offTopicAuroc: null,
    offTopicRefused: null,
    refused: 0
  },
  notMeasured: [],
  durationMs: 5,
  jobId: 'job',
  trainedBy: 'someone',
  version: 3,
  modelHash: modelHashOf(model),
  createdAtMs: 1000
}
const REPORT = { evaluation: { classes: [], errors: [] }, notMeasured: [], nearDuplicates: [] }
const stored = { model, reportJson: JSON.stringify(REPORT), judgements: [{ sample: 's', isRight: true }] }

test('a version is the same after it was a file, but for who has it and where', () => {
  const file = writeVersionFile(VERSION, stored)
  const { details, ...read } = readVersionFile(file, 'importer')
  assert.deepEqual({ ...read, model: Buffer.from(read.model) }, { ...stored, model: Buffer.from(model) })
  const { version: _version, modelHash: _modelHash, createdAtMs: _createdAtMs, ...kept } = VERSION
  assert.deepEqual(details, { ...kept, trainedBy: 'importer', jobId: details.jobId })
  assert.equal(readVersionFile(file, 'other').details.jobId, details.jobId)
  assert.match(details.jobId, /^import-[0-9a-f]{64}$/)
})

test('a file whose checksum is right is refused all the same when it does not agree with itself', () => {
  const text = { name: 't', type: 'text' } as const
  const { features, label } = VERSION.signature
  const disagreeing: Partial<ModelVersion>[] = [
    { classCount: 3 },
    { architecture: 'softmax' },
    { encoderRevision: 'some encoder' },
    { signature: { features: [...features, { name: 'y', type: 'number' }], label } },
    { signature: { features: [...features, text], label } },
    { signature: { features: [text], label } }
  ]
  for (const change of disagreeing) {
    const file = writeVersionFile({ ...VERSION, ...change }, stored)
    assert.throws(() => readVersionFile(file, 'a'), /its model is not what its header says/, JSON.stringify(change))
  }
  const parts: [object, RegExp][] = [
    [{ reportJson: '{' }, /it is not JSON/],
    [{ reportJson: '{}' }, /a part lacks a field/],
    [{ model: new Uint8Array(80) }, /its model does not load/]
  ]
  for (const [change, expected] of parts) {
    const file = writeVersionFile(VERSION, { ...stored, ...change })
    assert.throws(() => readVersionFile(file, 'a'), expected)
  }
  assert.throws(() => readVersionFile(sealFile({ magic: 'SBVF', format: 1 }, {}, []), 'a'), /the header lacks a field/)
  assert.throws(() => readVersionFile(sealFile({ magic: 'SBVF', format: 2 }, {}, []), 'a'), /format 2/)
  assert.throws(() => readVersionFile(model, 'a'), /it is of another kind/)
})

test('a file of which any byte has changed is refused', () => {
  const file = writeVersionFile(VERSION, stored)
  for (let at = 0; at < file.length; at += 7) {
    const changed = Uint8Array.from(file)
    changed[at]! ^= 1
    assert.throws(() => readVersionFile(changed, 'a'), /Cannot import the version: /)
  }
})
