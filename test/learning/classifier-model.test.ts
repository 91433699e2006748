/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { gramsOf } from '../../src/learning/character-grams.ts'
import {
  ClassifierModel,
  packRidgeModel,
  packSoftmaxModel,
  type ModelBytes
} from '../../src/learning/classifier-model.ts'
import { MAX_CANDIDATES } from '../../src/learning/candidates.ts'
import { matrixRow } from '../../src/learning/matrix.ts'
import { dotOfAny } from '../../src/learning/vectors.ts'
import { fitRidge, ridgeDecisionValues } from '../../src/learning/ridge.ts'
import { ServiceError } from '../../src/errors.ts'
import { clusters, samplesWhere } from './clusters.ts'

const DIMENSIONS = 24
const set = clusters(20, 60)
const classIds = Array.from({ length: 20 }, (_, k) => `answer ${k} ü`)
const origin = { classIds, encoderRevision: 'revision 1' }
const ridge = fitRidge(set.features, set.labels, 20)
const ridgeBytes = packRidgeModel(ridge, origin)
const calibration = { logitWeight: 0.7, similarityWeight: 12, gramWeight: 0 }
const topicRule = {
  intercept: -2,
  logOddsWeight: 0.5,
  marginWeight: 0.1,
  similarityWeight: 4,
  gramWeight: 0,
  shareExponent: 0.5,
  leastConfidence: 0.3
}
const softmax = {
  classCount: 20,
  dimensions: DIMENSIONS,
  coefficients: Float32Array.from(ridge.coefficients, (value) => 5 * value),
  intercepts: Float32Array.from(ridge.intercepts)
}
const softmaxBytes = packSoftmaxModel({ softmax, calibration, topicRule }, { ...set, classCount: 20 }, origin)
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
    (_, k) =>
      dotOfAny(query, softmax.coefficients.subarray(k * DIMENSIONS, (k + 1) * DIMENSIONS)) + softmax.intercepts[k]!
  )
  const best = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]!).slice(0, MAX_CANDIDATES)
  const scores = best.map((k) => {
    const cosines = [...set.labels.keys()]
      .filter((i) => set.labels[i] === k)
      .map((i) => dotOfAny(query, matrixRow(set.features, i)))
    return Math.exp(calibration.logitWeight * logits[k]! + calibration.similarityWeight * Math.max(...cosines))
  })
  const sum = scores.reduce((a, b) => a + b)
  const wanted = best.map((k, place) => ({ k, p: scores[place]! / sum })).toSorted((a, b) => b.p - a.p)
  const { classId, confidence, ranked, reasons } = model.predict(query, 100)
  assert.equal(ranked.length, MAX_CANDIDATES)
  // Of any question: the probability that some class fits, times a power of the class's share.
  const unit = reasons!.topicProbability
  assert.equal(classId, classIds[13])
  assert.equal(confidence, ranked[0]!.confidence)
  for (const [place, { classId: id, confidence: p }] of ranked.entries()) {
    assert.equal(id, classIds[wanted[place]!.k])
    assert.ok(Math.abs(p - unit * wanted[place]!.p ** topicRule.shareExponent) < 0.02, 'samples are kept to 8 bits')
  }
})

test('predict() names the nearest samples on request, by both similarities, and says which are off topic', () => {
  const { features, labels } = set
  const texts = Array.from(labels, (_, i) => `phrase ${i} ü`)
  const grams = texts.map(gramsOf)
  const offTopic = {
    features: { ...features, values: features.values.slice(33 * DIMENSIONS, 34 * DIMENSIONS), rows: 1 }
  }
  const taught = {
    ...set,
    texts,
    grams,
    offTopic: { ...offTopic, texts: ['no such thing'], grams: [gramsOf('no such thing')] }
  }
  const more = {
    ...softmax,
    classCount: 21,
    coefficients: new Float32Array(21 * DIMENSIONS),
    intercepts: new Float32Array(21)
  }
  more.coefficients.set(softmax.coefficients)
  more.coefficients.set(softmax.coefficients.subarray(13 * DIMENSIONS, 14 * DIMENSIONS), 20 * DIMENSIONS)
  const rule = { softmax: more, calibration: { ...calibration, gramWeight: 3 }, topicRule, offTopicClass: 20 }
  const model = ClassifierModel.load(packSoftmaxModel(rule, taught, origin))
  const { nearest = [] } = model.predict(query, 1, { text: texts[33]!, nearestCount: 2 })
  assert.deepEqual(
    nearest.map(({ text, classId }) => ({ text, classId })),
    [
      { text: 'phrase 33 ü', classId: classIds[labels[33]!] },
      { text: 'no such thing', classId: undefined }
    ]
  )
  for (const one of nearest) assert.ok(Math.abs(one.similarity - 1) < 0.02, 'both have the embedding that was asked')
  assert.ok(Math.abs(nearest[0]!.gramSimilarity - 1) < 1e-6)
  assert.equal(model.predict(query, 1, { text: texts[33]! }).nearest, undefined, 'not unless asked for')
  const silent = ClassifierModel.load(packSoftmaxModel(rule, { ...taught, texts: undefined }, origin))
  assert.deepEqual(silent.predict(query, 1, { nearestCount: 2 }).nearest, [], 'nor where the texts are not kept')
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
  const bytes = packSoftmaxModel({ softmax, calibration, topicRule }, { ...set, features }, origin)
  assert.ok(Number.isFinite(ClassifierModel.load(bytes).predict(query).confidence))
})

const Before = Type.Object({
  asked: Type.Array(Type.Array(Type.Number())),
  predictions: Type.Array(
    Type.Object({
      classId: Type.String(),
      confidence: Type.Number(),
      isOffTopic: Type.Boolean(),
      topicScore: Type.Number(),
      ranked: Type.Array(Type.Object({ classId: Type.String(), confidence: Type.Number() }))
    })
  )
})

test('a softmax model trained before there were character n-grams answers as it did', () => {
  const folder = new URL('../fixtures/softmax/', import.meta.url)
  const model = ClassifierModel.load(readFileSync(new URL('before-character-n-grams.model', folder)))
  const json = readFileSync(new URL('before-character-n-grams.json', folder), 'utf8')
  const { asked, predictions } = Value.Parse(Before, JSON.parse(json))
  assert.ok(predictions.some(({ isOffTopic }) => isOffTopic) && predictions.some(({ isOffTopic }) => !isOffTopic))
  // The questions are quantized to 16 bits, which they were not then; the topic score is in log-odds, up to 9 here.
  for (const [i, embedding] of asked.entries()) {
    const { classId, confidence, isOffTopic, topicScore, ranked } = model.predict(Float32Array.from(embedding), 3, {
      text: 'is not looked at'
    })
    const wanted = predictions[i]!
    assert.deepEqual([classId, isOffTopic], [wanted.classId, wanted.isOffTopic])
    assert.ok(Math.abs(confidence - wanted.confidence) < 1e-5 && Math.abs(topicScore - wanted.topicScore) < 1e-3)
    for (const [place, one] of ranked.entries()) {
      assert.equal(one.classId, wanted.ranked[place]!.classId)
      assert.ok(Math.abs(one.confidence - wanted.ranked[place]!.confidence) < 1e-5)
    }
  }
})

test('a softmax model keeps the n-grams of its samples, and what was taught as off topic is never its answer', () => {
  const grams = [...set.labels.keys()].map((i) => gramsOf(`phrase ${i}`))
  const offTopic = { features: { ...set.features, rows: 1, values: query }, grams: [gramsOf('lasagne recipe')] }
  const taught = {
    softmax: {
      classCount: 21,
      dimensions: DIMENSIONS,
      coefficients: Float32Array.of(...softmax.coefficients, ...query.map((value) => 40 * value)),
      intercepts: Float32Array.of(...softmax.intercepts, 0)
    },
    calibration: { ...calibration, gramWeight: 5 },
    topicRule: { ...topicRule, gramWeight: 3 },
    offTopicClass: 20
  }
  const bytes = packSoftmaxModel(taught, { ...set, classCount: 20, grams, offTopic }, origin)
  const model = ClassifierModel.load(bytes)
  const seen = model.predict(query, 100, { text: 'phrase 33' })
  const unseen = model.predict(query, 100, { text: 'lasagne recipe' })
  assert.ok(seen.ranked.every(({ classId }) => classIds.includes(classId)))
  assert.ok(seen.reasons!.gramSimilarity > 0.9 && unseen.reasons!.gramSimilarity < 0.1)
  assert.ok(unseen.isOffTopic && unseen.confidence < 0.1, 'it is the very question that was taught as off topic')
  assert.ok(seen.confidence > unseen.confidence)
  const without = ClassifierModel.load(softmaxBytes)
  assert.equal(without.predict(query, 1, { text: 'phrase 33' }).reasons!.gramSimilarity, 0)
})
