/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { confidenceBins } from '../../src/learning/confidence-drift.ts'
import { addModelMetrics } from '../../src/server/model-metrics.ts'

const VERSION = { name: 'classifier/sensors', version: 3 }
const OF_IT = 'model="classifier/sensors",version="3"'

const noBins = async (): Promise<undefined> => undefined

function openMetrics() {
  const registry = new Registry()
  return { observer: addModelMetrics(registry), text: async () => registry.metrics() }
}

test('predictions are counted by class, with their confidence and the characters that went in', async () => {
  const { observer, text } = openMetrics()
  observer.predicted(
    VERSION,
    [
      { inputCharacters: 40, classId: 'a', confidence: 0.97 },
      { inputCharacters: 60, classId: 'a', confidence: 0.5 },
      { inputCharacters: undefined, classId: 'b', confidence: 0.5 }
    ],
    noBins
  )
  const lines = (await text()).split('\n')
  for (const line of [
    `sbert_model_predictions_total{${OF_IT},class="a"} 2`,
    `sbert_model_predictions_total{${OF_IT},class="b"} 1`,
    `sbert_model_confidence_bucket{le="0.5",${OF_IT}} 2`,
    `sbert_model_confidence_count{${OF_IT}} 3`,
    `sbert_model_input_characters_sum{${OF_IT}} 100`,
    `sbert_model_input_characters_count{${OF_IT}} 2`
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('drift is told from 200 predictions on, against bins that are read once', async () => {
  const { observer, text } = openMetrics()
  let readCount = 0
  const readBins = async () => {
    readCount += 1
    return confidenceBins(Array.from({ length: 100 }, (_, index) => index / 100))
  }
  const predict = (confidence: number) =>
    observer.predicted(VERSION, [{ inputCharacters: 1, classId: 'a', confidence }], readBins)
  predict(0.5)
  await new Promise(setImmediate)
  for (let count = 0; count < 199; count += 1) predict(0.99)
  assert.doesNotMatch(await text(), /confidence_drift\{/)
  predict(0.99)
  const [, drift] = /confidence_drift\{model="classifier\/sensors",version="3"\} (\S+)/.exec(await text()) ?? []
  assert.ok(Number(drift) > 1, drift)
  assert.equal(readCount, 1)
})

test('bins that cannot be read take the drift, not the other metrics', async () => {
  const { observer, text } = openMetrics()
  const predictions = Array.from({ length: 300 }, () => ({ inputCharacters: 1, classId: 'a', confidence: 0.5 }))
  observer.predicted(VERSION, predictions, async () => {
    throw new Error('the disk is gone')
  })
  await new Promise(setImmediate)
  assert.match(await text(), /predictions_total\{.*class="a"\} 300/)
})

test('series are bounded: classes beyond 20 share one, and only the last 100 versions have any', async () => {
  const { observer, text } = openMetrics()
  const classes = Array.from({ length: 50 }, (_, index) => `class ${index}`)
  observer.predicted(
    VERSION,
    classes.map((classId) => ({ inputCharacters: 1, classId, confidence: 1 })),
    noBins
  )
  const countOf = async (pattern: RegExp) => (await text()).match(pattern)?.length ?? 0
  assert.equal(await countOf(/^sbert_model_predictions_total\{/gm), 21)
  assert.match(await text(), /class="\(other\)"\} 30/)
  for (let version = 1; version <= 100; version += 1) {
    observer.predicted({ name: 'm', version }, [{ inputCharacters: 1, classId: 'a', confidence: 1 }], noBins)
  }
  assert.equal(await countOf(/classifier\/sensors/g), 0)
  assert.equal(await countOf(/^sbert_model_predictions_total\{/gm), 100)
  assert.equal(await countOf(/^sbert_model_confidence_count\{/gm), 100)
  const long = 'x'.repeat(5000)
  observer.predicted({ name: long, version: 1 }, [{ inputCharacters: 1, classId: long, confidence: 1 }], noBins)
  assert.equal(await countOf(/x{101}/g), 0)
})
