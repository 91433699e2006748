/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ClassifierModel, packLogisticModel } from '../../src/learning/classifier-model.ts'
import { fitStandardisation, trainLogistic, type LogisticSet } from '../../src/learning/logistic.ts'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import fixture from '../fixtures/logistic/cases.json' with { type: 'json' }

const engine = await TensorEngine.create()
after(() => engine[Symbol.asyncDispose]())

function setOf(embeddings: number[][], numbers: number[][], labels: number[]): LogisticSet {
  const width = embeddings[0]!.length
  return {
    embeddings:
      width === 0
        ? undefined
        : { values: Float32Array.from(embeddings.flat()), rows: embeddings.length, columns: width },
    numbers: { values: Float64Array.from(numbers.flat()), rows: numbers.length, columns: numbers[0]!.length },
    labels: Int32Array.from(labels),
    classCount: Math.max(...labels) + 1,
    groups: Int32Array.from(labels.keys())
  }
}

for (const known of fixture.cases) {
  test(`trainLogistic() equals ${fixture.madeWith}'s Pipeline(StandardScaler, LogisticRegression): ${known.name}`, async () => {
    const set = setOf(known.embeddings, known.numbers, known.labels)
    const trained = await trainLogistic(engine, set, { c: known.c })
    for (const [j, mean] of known.means.entries()) {
      assert.ok(Math.abs(trained.standardisation.means[j]! / mean - 1) < 1e-12)
      assert.ok(Math.abs(trained.standardisation.scales[j]! / known.scales[j]! - 1) < 1e-12)
    }
    const classIds = Array.from({ length: set.classCount }, (_, k) => String(k))
    const bytes = packLogisticModel(trained, set.embeddings?.columns ?? 0, { classIds, encoderRevision: null })
    const model = ClassifierModel.load(bytes)
    for (const [q, wanted] of known.probabilities.entries()) {
      const embedding = Float32Array.from(known.queries.embeddings[q]!)
      const { ranked } = model.predict(embedding, set.classCount, {
        numbers: Float64Array.from(known.queries.numbers[q]!)
      })
      for (const { classId, confidence } of ranked) {
        const difference = Math.abs(confidence - wanted[Number(classId)]!)
        assert.ok(difference < 1e-4, `query ${q} class ${classId}: ${confidence}, wanted ${wanted[Number(classId)]}`)
      }
    }
  })
}

test('fitStandardisation() looks at the rows it is told to, and leaves a constant column its size', () => {
  const numbers = { values: Float64Array.of(1, 5, 3, 5, 100, 7), rows: 3, columns: 2 }
  const { means, scales } = fitStandardisation(numbers, [0, 1])
  assert.deepEqual([...means, ...scales], [2, 5, 1, 1])
})

test('trainLogistic() tells what it could not measure, and stops when asked', async () => {
  const set = setOf([[], []], [[1], [2]], [0, 1])
  const trained = await trainLogistic(engine, set)
  assert.deepEqual(trained.outOfFold, [])
  assert.match(trained.notMeasured.join(), /no class has two different rows/)
  await assert.rejects(trainLogistic(engine, set, { signal: AbortSignal.abort(new Error('called off')) }), /called off/)
})
