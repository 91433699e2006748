/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ClassNearness } from '../../src/learning/class-nearness.ts'
import { groupByClass } from '../../src/learning/class-samples.ts'
import { matrixRow } from '../../src/learning/matrix.ts'
import type { FloatMatrix } from '../../src/learning/tensor-engine.ts'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { dotOfAny } from '../../src/learning/vectors.ts'
import { clusters } from './clusters.ts'

const engine = await TensorEngine.create()
after(() => engine[Symbol.asyncDispose]())

/** An engine that counts the products. */
function counting() {
  const counted = {
    productCount: 0,
    async product(...of: Parameters<TensorEngine['product']>) {
      counted.productCount += 1
      return engine.product(...of)
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ClassNearness calls nothing else
  return counted as typeof counted & TensorEngine
}

function nearest(question: ArrayLike<number>, features: FloatMatrix, rows: Iterable<number>): number {
  return Math.max(-1, ...[...rows].map((row) => dotOfAny(question, matrixRow(features, row))))
}

// With many samples a product for each class is less work, with few one product for all.
for (const [sampleCount, classCount] of [
  [60, 12],
  [6000, 3]
] as const) {
  test(`ClassNearness.cosines() gives the nearest of ${sampleCount} samples of ${classCount} classes, and multiplies once`, async () => {
    const { features, labels } = clusters(classCount, sampleCount)
    // The last class has no sample, and the first questions are held out.
    const trained = Int32Array.from(labels.keys()).filter((i) => i >= 20 && labels[i] !== classCount - 1)
    const seen = groupByClass({ features }, labels, classCount, trained)
    const rows = sampleCount === 60 ? 5 : 2000
    const asked = { values: features.values.subarray(0, rows * features.columns), rows, columns: features.columns }
    const spied = counting()
    const nearness = new ClassNearness(spied, seen, { features: asked })
    const classes = Int32Array.from({ length: rows * 2 }, (_, i) => [1, classCount - 1][i % 2]!)
    const found = await nearness.cosines(classes, 2)
    for (const i of [0, 1, rows - 1]) {
      const wanted = nearest(matrixRow(asked, i), features, seen.rowsOfClass[1]!)
      assert.ok(Math.abs(found[2 * i]! - wanted) < 1e-5, `${found[2 * i]}, ${wanted} wanted`)
      assert.equal(found[2 * i + 1], -1)
    }
    assert.equal(spied.productCount, 1)
    assert.deepEqual(await nearness.cosines(classes, 2), found)
    assert.equal(spied.productCount, 1)
    const others = Int32Array.from({ length: rows * 2 }, (_, i) => i % 2)
    const known = await nearness.cosines(others, 2)
    for (const i of [0, rows - 1]) {
      const wanted = nearest(matrixRow(asked, i), features, seen.rowsOfClass[0]!)
      assert.ok(Math.abs(known[2 * i]! - wanted) < 1e-5)
      assert.ok(Math.abs(known[2 * i + 1]! - found[2 * i]!) < 1e-6)
    }
  })
}

test('ClassNearness has neither texts nor samples: −1 and 0', async () => {
  const { features, labels } = clusters(2, 4)
  const nearness = new ClassNearness(engine, groupByClass({ features }, labels, 2, Int32Array.of()), { features })
  const classes = Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1)
  assert.deepEqual([...(await nearness.cosines(classes, 2))], Array(8).fill(-1))
  assert.deepEqual([...nearness.gramSimilarities(classes, 2)], Array(8).fill(0))
})
