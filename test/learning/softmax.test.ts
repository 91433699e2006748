/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { argmax, matrix, matrixRow } from '../../src/learning/matrix.ts'
import { fitSoftmax, prepareSamples, softmaxLogits, takeSamples } from '../../src/learning/softmax.ts'
import { sampleBlock, TensorEngine } from '../../src/learning/tensor-engine.ts'
import fixture from '../fixtures/softmax/cases.json' with { type: 'json' }

const engine = await TensorEngine.create()
after(() => engine[Symbol.asyncDispose]())

function softmax(logits: ArrayLike<number>): number[] {
  const weights = Array.from(logits, Math.exp)
  const sum = weights.reduce((a, b) => a + b)
  return weights.map((weight) => weight / sum)
}

for (const known of fixture.cases) {
  test(`fitSoftmax() equals ${fixture.madeWith}: ${known.name}`, async () => {
    const features = matrix(Float32Array.from(known.features.flat()), known.features.length, known.dimensions)
    const queries = {
      values: Float32Array.from(known.queries.flat()),
      rows: known.queries.length,
      columns: known.dimensions
    }
    const classCount = Math.max(...known.labels) + 1
    const samples = await prepareSamples(engine, features)
    const { model, converged } = await fitSoftmax(engine, samples, Int32Array.from(known.labels), classCount, {
      penalty: 1 / known.c,
      gradientTolerance: 1e-5
    })
    assert.ok(converged)
    const logits = await softmaxLogits(engine, model, queries)
    for (const [q, wanted] of known.probabilities.entries()) {
      for (const [k, probability] of softmax(matrixRow(logits, q)).entries()) {
        assert.ok(
          Math.abs(probability - wanted[k]!) < 1e-4,
          `query ${q} class ${k}: ${probability}, wanted ${wanted[k]}`
        )
      }
    }
  })
}

const corners = matrix(Float32Array.of(1, 0, 0.9, 0.1, 0, 1, 0.1, 0.9), 4, 2)
const cornerLabels = Int32Array.of(0, 0, 1, 1)

test('fitSoftmax() reaches the same minimum from another model as from nothing', async () => {
  const samples = await prepareSamples(engine, corners)
  const tight = { gradientTolerance: 1e-5 }
  const loose = await fitSoftmax(engine, samples, cornerLabels, 2, { penalty: 1, ...tight })
  const cold = await fitSoftmax(engine, samples, cornerLabels, 2, { penalty: 0.1, ...tight })
  const warm = await fitSoftmax(engine, samples, cornerLabels, 2, { penalty: 0.1, start: loose.model, ...tight })
  for (const [i, value] of warm.model.coefficients.entries()) {
    assert.ok(Math.abs(value - cold.model.coefficients[i]!) < 1e-3)
  }
  const again = await fitSoftmax(engine, samples, cornerLabels, 2, { penalty: 0.1, start: cold.model, ...tight })
  assert.ok(again.evaluations < cold.evaluations / 2, `${again.evaluations} evaluations, cold ${cold.evaluations}`)
})

test('fitSoftmax() goes through more samples than one block holds as through one', async () => {
  // 1300 classes: 201 rows a block.
  const rows = 1300
  const values = Float32Array.from({ length: rows * 3 }, (_, i) => Math.sin(i * 12.9898) * (1 + (i % 3)))
  const features = matrix(values, rows, 3)
  const labels = Int32Array.from({ length: rows }, (_, i) => i)
  const samples = await prepareSamples(engine, features)
  const { model } = await fitSoftmax(engine, samples, labels, rows, { penalty: 1e-4, maxEvaluations: 3 })
  const block = await engine.softmaxGradient(
    sampleBlock({ ...features, values }, labels),
    { values: model.coefficients, rows, columns: 3 },
    model.intercepts
  )
  assert.ok(block.loss / rows < Math.log(rows), 'the loss fell below that of guessing')
})

test('fitSoftmax() of one class is sure of it', async () => {
  const samples = await prepareSamples(engine, corners)
  const { model } = await fitSoftmax(engine, samples, new Int32Array(4), 1, { penalty: 1 })
  const logits = await softmaxLogits(engine, model, { ...corners, values: Float32Array.from(corners.values) })
  assert.deepEqual(softmax(matrixRow(logits, 0)), [1])
})

test('fitSoftmax() of the same point under two classes has no preference', async () => {
  const features = matrix(Float32Array.of(1, 0, 1, 0), 2, 2)
  const samples = await prepareSamples(engine, features)
  const { model } = await fitSoftmax(engine, samples, Int32Array.of(0, 1), 2, { penalty: 0.1 })
  const logits = await softmaxLogits(engine, model, { values: Float32Array.of(1, 0), rows: 1, columns: 2 })
  assert.ok(Math.abs(softmax(logits.values)[0]! - 0.5) < 1e-6)
})

test('fitSoftmax() stops at the evaluations allowed and says that it has not converged', async () => {
  const samples = await prepareSamples(engine, corners)
  const fit = await fitSoftmax(engine, samples, cornerLabels, 2, {
    penalty: 1e-3,
    gradientTolerance: 1e-9,
    maxEvaluations: 3
  })
  assert.equal(fit.evaluations, 3)
  assert.equal(fit.converged, false)
})

test('takeSamples() lets a part be fitted in the coordinates of all', async () => {
  const samples = await prepareSamples(engine, corners)
  const part = takeSamples(samples, Int32Array.of(0, 2))
  const { model } = await fitSoftmax(engine, part, Int32Array.of(0, 1), 2, { penalty: 0.1 })
  const logits = await softmaxLogits(engine, model, { ...corners, values: Float32Array.from(corners.values) })
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => argmax(matrixRow(logits, i))),
    [0, 0, 1, 1]
  )
})

test('fitSoftmax() refuses what it cannot fit', async () => {
  const samples = await prepareSamples(engine, corners)
  const none = takeSamples(samples, new Int32Array(0))
  await assert.rejects(fitSoftmax(engine, samples, Int32Array.of(0), 2, { penalty: 1 }), /4 rows but 1 labels/)
  await assert.rejects(fitSoftmax(engine, none, new Int32Array(0), 2, { penalty: 1 }), /no samples/)
  await assert.rejects(fitSoftmax(engine, samples, cornerLabels, 2, { penalty: 0 }), /penalty is 0/)
})
