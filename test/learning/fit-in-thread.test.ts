/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClassifierModel } from '../../src/learning/classifier-model.ts'
import { fitInThread } from '../../src/learning/fit-in-thread.ts'
import type { FitRequest, VersionReport } from '../../src/learning/fit.ts'
import { clusters } from './clusters.ts'

const CLASS_IDS = ['a', 'b', 'c']

/** Three answers of so many samples in all, and their embeddings, to be handed over. */
function request(architecture: FitRequest['architecture'], sampleCount = 60) {
  const { features, labels } = clusters(3, sampleCount)
  const texts = Array.from(labels, (label, i) => `${CLASS_IDS[label]} ${i}`)
  return {
    architecture,
    samples: { texts, labels, answerIds: CLASS_IDS, groups: Int32Array.from(labels.keys()) },
    features: { values: Float32Array.from(features.values), rows: features.rows, columns: features.columns },
    encoderRevision: 'test',
    ridgeOffTopicThreshold: -0.631
  }
}

for (const architecture of ['softmax', 'ridge'] as const) {
  test(`fitInThread() fits ${architecture}, judges it and tells how far it is`, async () => {
    const asked = request(architecture)
    const embedding = asked.features.values.slice(0, asked.features.columns)
    const shares: number[] = []
    const fit = await fitInThread(asked, { onProgress: (share) => shares.push(share) })
    const model = ClassifierModel.load(fit.model)
    assert.deepEqual([model.architecture, model.encoderRevision], [architecture, 'test'])
    assert.equal(model.predict(embedding).classId, CLASS_IDS[asked.samples.labels[0]!])
    const report: VersionReport = JSON.parse(fit.reportJson)
    assert.equal(report.evaluation.accuracy, fit.figures.accuracy)
    assert.deepEqual(report.notMeasured, fit.notMeasured)
    assert.equal(fit.judgements.length, 60)
    assert.equal(asked.features.values.length, 0, 'the features were handed over')
    if (architecture === 'softmax') assert.equal(shares.at(-1), 1)
  })
}

test('fitInThread() of ridge says what it could not measure', async () => {
  const asked = request('ridge', 3)
  const { notMeasured, figures } = await fitInThread(asked)
  assert.equal(figures.questionCount, 0)
  assert.match(notMeasured.join('\n'), /3 of 3 answers have no two different samples/)
})

test('fitInThread() rejects with the reason when it is called off, and begins nothing when it was', async () => {
  const stop = new AbortController()
  const reason = new Error('no longer wanted')
  const fitting = fitInThread(request('softmax'), { signal: stop.signal })
  stop.abort(reason)
  await assert.rejects(fitting, reason)
  const asked = request('softmax')
  await assert.rejects(fitInThread(asked, { signal: stop.signal }), reason)
  assert.ok(asked.features.values.length > 0)
})

test('fitInThread() rejects when the thread fails', async () => {
  const asked = request('ridge')
  const wrong = { ...asked, samples: { ...asked.samples, answerIds: [...CLASS_IDS, 'of no sample'] } }
  await assert.rejects(fitInThread(wrong), (error: Error) => {
    assert.match(error.message, /the thread ended without one/)
    assert.ok(error.cause instanceof RangeError)
    return true
  })
})

test('fitInThread() keeps the judgements of a very large table that another version keeps too', async () => {
  const rows = 20_500
  const labels = Int32Array.from({ length: rows }, (_, i) => i % 2)
  const values = Float64Array.from(labels, (label, i) => label * 3 + (i % 997) / 100)
  const fitOf = () =>
    fitInThread({
      architecture: 'logistic',
      samples: { texts: [], labels, answerIds: ['0', '1'], groups: Int32Array.from(labels.keys()) },
      features: { values: new Float32Array(0), rows, columns: 0 },
      encoderRevision: null,
      ridgeOffTopicThreshold: -0.631,
      columns: [{ name: 'x', values }]
    })
  const first = await fitOf()
  const second = await fitOf()
  assert.equal(first.figures.questionCount, rows)
  assert.equal(first.judgements.length, 20_000)
  assert.deepEqual(
    first.judgements.map(({ sample }) => sample),
    second.judgements.map(({ sample }) => sample)
  )
})
