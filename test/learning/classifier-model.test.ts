/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ClassifierModel,
  packRidgeModel,
  packSoftmaxModel,
  type ModelBytes
} from '../../src/learning/classifier-model.ts'
import { MAX_CANDIDATES } from '../../src/learning/candidates.ts'
import { dot, matrixRow } from '../../src/learning/matrix.ts'
import { fitRidge, ridgeDecisionValues } from '../../src/learning/ridge.ts'
import { ServiceError } from '../../src/errors.ts'
import { clusters, samplesWhere } from './clusters.ts'

const DIMENSIONS = 24
const set = clusters(20, 60)
const classIds = Array.from({ length: 20 }, (_, k) => `answer ${k} ü`)
const origin = { classIds, encoderRevision: 'revision 1' }
const ridge = fitRidge(set.features, set.labels, 20)
const ridgeBytes = packRidgeModel(ridge, origin)
const calibration = { logitWeight: 0.7, similarityWeight: 12 }
const topicRule = { intercept: -8, logOddsWeight: 0.5, similarityWeight: 10, threshold: -1 }
const softmax = {
  classCount: 20,
  dimensions: DIMENSIONS,
  coefficients: Float32Array.from(ridge.coefficients, (value) => 5 * value),
  intercepts: Float32Array.from(ridge.intercepts)
}
const softmaxBytes = packSoftmaxModel({ softmax, calibration, topicRule }, set.features, set.labels, origin)
const query = Float32Array.from(matrixRow(set.features, 33))

test('ClassifierModel of a ridge model decides as the model fitted', () => {
  const model = ClassifierModel.load(ridgeBytes)
  const values = ridgeDecisionValues(ridge, query)
  const { classId, confidence, ranked } = model.predict(query, 3)
  assert.equal(confidence, Math.max(...values))
  assert.equal(classId, classIds[values.indexOf(confidence)])
  assert.deepEqual(
    ranked.map((one) => one.confidence),
    [...values].toSorted((a, b) => b - a).slice(0, 3)
  )
})

test('ClassifierModel of a ridge model refuses below the threshold it was loaded with', () => {
  const { confidence } = ClassifierModel.load(ridgeBytes).predict(query)
  const at = (ridgeOffTopicThreshold: number) =>
    ClassifierModel.load(ridgeBytes, { ridgeOffTopicThreshold }).predict(query).isOffTopic
  assert.equal(at(confidence), false)
  assert.equal(at(confidence + 1e-9), true)
})

const twoOrigin = { classIds: ['no', 'yes'], encoderRevision: 'revision 1' }
function twoClasses() {
  const { features, labels } = samplesWhere(set, (label) => label < 2)
  return { features, labels, model: fitRidge(features, labels, 2) }
}

test('ClassifierModel of a ridge model of two classes gives the single decision value, whichever class it speaks for', () => {
  const { features, labels, model: fitted } = twoClasses()
  const model = ClassifierModel.load(packRidgeModel(fitted, twoOrigin))
  for (const [i, label] of labels.entries()) {
    const row = Float32Array.from(matrixRow(features, i))
    const [value] = ridgeDecisionValues(fitted, row)
    const { classId, confidence, ranked } = model.predict(row, 5)
    assert.equal(confidence, value)
    assert.equal(classId, twoOrigin.classIds[label])
    assert.deepEqual(
      ranked.map((one) => one.classId),
      label === 1 ? ['yes', 'no'] : ['no', 'yes']
    )
    assert.equal(ranked[0]!.confidence, Math.abs(value!))
  }
})

test('ClassifierModel of a ridge model of one class has decision value −1', () => {
  const { features } = twoClasses()
  const fitted = fitRidge(features, new Int32Array(features.rows), 1)
  const model = ClassifierModel.load(packRidgeModel(fitted, { ...twoOrigin, classIds: ['only'] }))
  const { classId, confidence, isOffTopic } = model.predict(query)
  assert.deepEqual([classId, confidence, isOffTopic], ['only', -1, true])
})

test('ClassifierModel of a softmax model ranks candidates by calibrated probability', () => {
  const model = ClassifierModel.load(softmaxBytes)
  const logits = Array.from(
    { length: 20 },
    (_, k) => dot(query, softmax.coefficients.subarray(k * DIMENSIONS, (k + 1) * DIMENSIONS)) + softmax.intercepts[k]!
  )
  const best = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]!).slice(0, MAX_CANDIDATES)
  const scores = best.map((k) => {
    const cosines = [...set.labels.keys()]
      .filter((i) => set.labels[i] === k)
      .map((i) => dot(query, matrixRow(set.features, i)))
    return Math.exp(calibration.logitWeight * logits[k]! + calibration.similarityWeight * Math.max(...cosines))
  })
  const sum = scores.reduce((a, b) => a + b)
  const wanted = best.map((k, place) => ({ k, p: scores[place]! / sum })).toSorted((a, b) => b.p - a.p)
  const { classId, confidence, ranked } = model.predict(query, 100)
  assert.equal(ranked.length, MAX_CANDIDATES)
  assert.equal(classId, classIds[13])
  assert.equal(confidence, ranked[0]!.confidence)
  for (const [place, { classId: id, confidence: p }] of ranked.entries()) {
    assert.equal(id, classIds[wanted[place]!.k])
    assert.ok(Math.abs(p - wanted[place]!.p) < 0.02, 'samples are kept to 8 bits')
  }
})

test('ClassifierModel tells what it is', () => {
  for (const [bytes, architecture] of [
    [ridgeBytes, 'ridge'],
    [softmaxBytes, 'softmax']
  ] as const) {
    const model = ClassifierModel.load(bytes)
    assert.deepEqual(
      [model.architecture, model.classIds, model.encoderRevision, model.dimensions, model.byteLength],
      [architecture, classIds, 'revision 1', DIMENSIONS, bytes.byteLength]
    )
  }
})

test('ClassifierModel does not depend on the bytes it was loaded from, nor on how they lie in memory', () => {
  const shifted = new Uint8Array(softmaxBytes.length + 3)
  shifted.set(softmaxBytes, 3)
  const model = ClassifierModel.load(shifted.subarray(3))
  const before = model.predict(query, 3)
  shifted.fill(0)
  assert.deepEqual(model.predict(query, 3), before)
  assert.deepEqual(before, ClassifierModel.load(softmaxBytes).predict(query, 3))
})

test('a model packs to the same bytes each time', () => {
  assert.ok(Buffer.from(packRidgeModel(ridge, origin)).equals(ridgeBytes))
})

function assertRefused(bytes: ModelBytes, message: RegExp): void {
  assert.throws(
    () => ClassifierModel.load(bytes),
    (error) => error instanceof ServiceError && error.code === 'UNAVAILABLE' && message.test(error.message)
  )
}

test('ClassifierModel refuses a model of which any byte has changed', () => {
  for (const bytes of [ridgeBytes, softmaxBytes]) {
    for (let at = 0; at < bytes.length; at += at < 400 ? 1 : 97) {
      const changed = Uint8Array.from(bytes)
      changed[at]! ^= 0x10
      // The header's length is not under the checksum: what it cuts out is then no header.
      assertRefused(changed, /of another kind|format|checksum|header/)
    }
  }
})

test('ClassifierModel refuses a model cut short anywhere', () => {
  for (const length of [0, 3, 11, 43, 44, 100, softmaxBytes.length - 1]) {
    assertRefused(softmaxBytes.subarray(0, length), /of another kind|checksum/)
  }
})

test('ClassifierModel refuses a format of another version, and says which', () => {
  const other = Uint8Array.from(ridgeBytes)
  other[4] = 9
  assertRefused(other, /format 9, this version reads 1/)
})

test('predict() refuses an embedding of other dimensions and a rank of nothing', () => {
  const model = ClassifierModel.load(softmaxBytes)
  assert.throws(() => model.predict(new Float32Array(3)), /3 dimensions, the model 24/)
  assert.throws(() => model.predict(query, 0), RangeError)
  assert.throws(() => model.predict(query, Number.NaN), RangeError)
})

test('a model is not packed with ids for other classes', () => {
  assert.throws(() => packRidgeModel(ridge, twoOrigin), /2 class ids for 20 classes/)
})

test('packSoftmaxModel() takes a sample of zeros', () => {
  const features = { ...set.features, values: set.features.values.slice() }
  features.values.fill(0, 0, DIMENSIONS)
  const bytes = packSoftmaxModel({ softmax, calibration, topicRule }, features, set.labels, origin)
  assert.ok(Number.isFinite(ClassifierModel.load(bytes).predict(query).confidence))
})
