/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { DEFAULT_CALIBRATION } from '../../src/learning/calibration.ts'
import { ClassifierModel, packSoftmaxModel } from '../../src/learning/classifier-model.ts'
import { evaluate, type JudgedQuestion } from '../../src/learning/evaluation.ts'
import { topicRuleOf } from '../../src/learning/off-topic.ts'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { trainSoftmax, type TrainedSoftmax } from '../../src/learning/train-softmax.ts'
import type { TrainingSet } from '../../src/learning/training-set.ts'
import { clusters, samplesWhere } from './clusters.ts'

const engine = await TensorEngine.create()
after(() => engine[Symbol.asyncDispose]())

function modelOf(trained: TrainedSoftmax, set: TrainingSet): ClassifierModel {
  const classIds = Array.from({ length: set.classCount }, (_, k) => String(k))
  return ClassifierModel.load(packSoftmaxModel(trained, set, { classIds, encoderRevision: 'test' }))
}

function rowsOf({ features }: Pick<TrainingSet, 'features'>): Float32Array[] {
  const { values, rows, columns } = features
  return Array.from({ length: rows }, (_, i) => values.subarray(i * columns, (i + 1) * columns))
}

function meanConfidence(of: readonly JudgedQuestion[]): number {
  return of.reduce((sum, { ranked }) => sum + ranked[0]!.confidence, 0) / of.length
}

// Of 20 classes 15 are trained on; the other 5 are off topic.
const all = clusters(20, 1200)
const set = { ...samplesWhere(all, (label, i) => label < 15 && i < 900), classCount: 15 }
const unseen = samplesWhere(all, (label, i) => label < 15 && i >= 900)
const unknown = samplesWhere(all, (label, i) => label >= 15 && i >= 900)
const trained = await trainSoftmax(engine, set)

test('trainSoftmax() answers questions that it has not seen', () => {
  const model = modelOf(trained, set)
  const right = rowsOf(unseen).filter((row, i) => model.predict(row).classId === String(unseen.labels[i])).length
  assert.ok(right / unseen.labels.length > 0.9, `${right} of ${unseen.labels.length} right`)
})

test('trainSoftmax() learns to refuse classes that it has never seen, from those that it has', () => {
  const model = modelOf(trained, set)
  const refused = rowsOf(unknown).filter((row) => model.predict(row).isOffTopic).length
  const lost = rowsOf(unseen).filter((row) => model.predict(row).isOffTopic).length
  assert.ok(refused / unknown.labels.length > 0.7, `${refused} of ${unknown.labels.length} off topic refused`)
  assert.ok(lost / unseen.labels.length < 0.1, `${lost} of ${unseen.labels.length} on topic refused`)
})

test('trainSoftmax() judges every sample out of its fold, with its class and without', () => {
  const known = trained.outOfFold.filter((one) => one.label !== undefined)
  const withheld = trained.outOfFold.filter((one) => one.label === undefined)
  assert.deepEqual(
    known.map((one) => one.question).toSorted((a, b) => a - b),
    [...set.labels.keys()]
  )
  assert.ok(known.every((one) => one.label === set.labels[one.question]))
  assert.equal(withheld.length, known.length)
  assert.ok(withheld.every((one) => one.ranked.every((ranked) => ranked.class !== set.labels[one.question])))
  const report = evaluate(trained.outOfFold, true)
  assert.ok(report.accuracy! > 0.9 && report.offTopicAuroc! > 0.9)
})

test('trainSoftmax() foresees out of fold how sure and how right it will be', () => {
  const model = modelOf(trained, set)
  const judged = rowsOf(unseen).map((row, i) => {
    const { ranked, topicScore, isOffTopic } = model.predict(row)
    const [best] = ranked.map((one) => ({ class: Number(one.classId), confidence: one.confidence }))
    return { question: i, label: unseen.labels[i]!, ranked: [best!], topicScore, isOffTopic }
  })
  const foreseen = evaluate(trained.outOfFold, true)
  const found = evaluate(judged, true)
  assert.ok(Math.abs(found.accuracy! - foreseen.accuracy!) < 0.05)
  // Nothing off topic was asked here, of what is foreseen one half is.
  assert.ok(
    Math.abs(meanConfidence(judged) - meanConfidence(trained.outOfFold.filter(({ label }) => label !== undefined))) <
      0.05
  )
})

test('trainSoftmax() gives the same model of the same samples', async () => {
  const again = await trainSoftmax(engine, set)
  assert.deepEqual(again, trained)
})

test('trainSoftmax() says nothing is missing when all was measured', () => {
  assert.deepEqual(trained.notMeasured, [])
})

function halfOfUnknown(isFirst: boolean) {
  return samplesWhere(all, (label, i) => label >= 15 && Math.floor(i / 20) % 2 === (isFirst ? 0 : 1))
}

test('trainSoftmax() takes supplied off-topic questions into account', async () => {
  const taughtSet = { ...set, offTopic: { features: halfOfUnknown(true).features } }
  const taught = await trainSoftmax(engine, taughtSet)
  const [untaught, knowing] = [modelOf(trained, set), modelOf(taught, taughtSet)]
  // Others of the same kind: none of these was taught.
  const asked = rowsOf(halfOfUnknown(false))
  const refused = (model: ClassifierModel) => asked.filter((row) => model.predict(row).isOffTopic).length / asked.length
  assert.ok(
    refused(knowing) > 0.97 && refused(knowing) > refused(untaught),
    `${refused(untaught)}, then ${refused(knowing)}`
  )
  // No good question is pulled along.
  const answered = (model: ClassifierModel) =>
    rowsOf(unseen).filter((row, i) => {
      const { classId, isOffTopic } = model.predict(row)
      return !isOffTopic && classId === String(unseen.labels[i])
    }).length / unseen.labels.length
  assert.ok(answered(knowing) > answered(untaught) - 0.02, `${answered(untaught)}, then ${answered(knowing)}`)
  const judgedOffTopic = taught.outOfFold.filter(({ question }) => question >= set.labels.length)
  assert.ok(judgedOffTopic.length > 0 && judgedOffTopic.every(({ label }) => label === undefined))
  assert.ok(taught.outOfFold.every(({ ranked }) => ranked.every((one) => one.class < 15)))
})

test('trainSoftmax() of one class answers what is near it and refuses what is not', async () => {
  const one = { ...samplesWhere(all, (label, i) => label === 0 && i < 900), classCount: 1 }
  const single = await trainSoftmax(engine, one)
  assert.deepEqual(single.notMeasured, [
    'How well off-topic questions are told apart is not measured: there is one answer only.'
  ])
  const model = modelOf(single, one)
  const far = rowsOf({ features: samplesWhere(all, (label) => label !== 0).features })
  assert.equal(model.predict(rowsOf(one)[0]!).isOffTopic, false)
  const least = Math.min(...rowsOf(one).map((row) => model.predict(row).confidence))
  assert.ok(far.filter((row) => model.predict(row).confidence < least).length / far.length > 0.9)
})

test('trainSoftmax() of one sample a class works by the usual rules and says so', async () => {
  const one = { ...samplesWhere(all, (label, i) => i < 20 && label < 15), classCount: 15 }
  const few = await trainSoftmax(engine, one)
  const usual = topicRuleOf({ sampleCount: one.labels.length, classCount: 15 })
  assert.deepEqual([few.calibration, few.topicRule, few.ownShare, few.outOfFold], [DEFAULT_CALIBRATION, usual, 0, []])
  assert.match(few.notMeasured.join(' '), /no answer has two different samples/)
  const model = modelOf(few, one)
  for (const [i, row] of rowsOf(one).entries()) assert.equal(model.predict(row).classId, String(one.labels[i]))
})

test('trainSoftmax() does not take twins for two samples', async () => {
  const one = samplesWhere(all, (label, i) => i < 20 && label < 15)
  const values = Float32Array.of(...one.features.values, ...one.features.values)
  const twins = {
    features: { ...one.features, values, rows: 30 },
    labels: Int32Array.of(...one.labels, ...one.labels),
    classCount: 15,
    groups: Int32Array.from({ length: 30 }, (_, i) => i % 15)
  }
  assert.deepEqual((await trainSoftmax(engine, twins)).outOfFold, [])
})

test('trainSoftmax() of few samples leans on other mentors, and names the answers that it cannot measure', async () => {
  const few = { ...samplesWhere(all, (label, i) => label < 3 && i < 60), classCount: 4 }
  const single = samplesWhere(all, (label, i) => label === 3 && i < 20)
  const joined = {
    features: {
      ...few.features,
      values: Float32Array.of(...few.features.values, ...single.features.values),
      rows: few.features.rows + 1
    },
    labels: Int32Array.of(...few.labels, 3),
    classCount: 4
  }
  const { notMeasured, ownShare } = await trainSoftmax(engine, joined)
  assert.ok(ownShare > 0.2 && ownShare < 0.4, `${ownShare}`)
  assert.deepEqual(notMeasured, [
    '1 of 4 answers have no two different samples: they are trained on but not measured.',
    'The off-topic rule is to 69% that of other mentors: 9 of 10 samples could be held out.'
  ])
})

test('trainSoftmax() of two classes tells them apart', async () => {
  const two = { ...samplesWhere(all, (label, i) => label < 2 && i < 900), classCount: 2 }
  const model = modelOf(await trainSoftmax(engine, two), two)
  const right = rowsOf(two).filter((row, i) => model.predict(row).classId === String(two.labels[i])).length
  assert.ok(right / two.labels.length > 0.95)
})

test('trainSoftmax() of 400 classes of three samples works', async () => {
  const many = clusters(400, 1200, { dimensions: 64, spread: 0.4 })
  const { outOfFold, notMeasured } = await trainSoftmax(engine, many, { foldCount: 3 })
  assert.deepEqual(notMeasured, [])
  assert.ok(evaluate(outOfFold, true).accuracy! > 0.8)
})

test('trainSoftmax() tells its progress, rising to 1', async () => {
  const shares: number[] = []
  await trainSoftmax(
    engine,
    { ...samplesWhere(all, (label, i) => label < 3 && i < 200), classCount: 3 },
    {
      onProgress: (share) => shares.push(share)
    }
  )
  assert.ok(shares.length > 3)
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b)
  )
  assert.equal(shares.at(-1), 1)
})

test('trainSoftmax() stops when it is told to', async () => {
  const reason = new Error('cancelled')
  await assert.rejects(trainSoftmax(engine, set, { signal: AbortSignal.abort(reason) }), reason)
})

test('trainSoftmax() refuses a set without samples', async () => {
  const none = {
    features: { values: new Float32Array(0), rows: 0, columns: 24 },
    labels: new Int32Array(0),
    classCount: 0
  }
  await assert.rejects(trainSoftmax(engine, none), /no samples/)
})
