/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { greatest } from '../../src/learning/candidates.ts'
import { ClassRanking } from '../../src/learning/class-ranking.ts'
import { PORTABLE_PRODUCTS, toInt16 } from '../../src/learning/embedding-products.ts'

const DIMENSIONS = 48
const WIDTH = 16

/** Numbers from −1 to 1 that look random and are the same each time. */
function numbers(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i * 0.37))
}

function unitVector(seed: number): Float32Array {
  const values = numbers(DIMENSIONS, seed)
  const norm = Math.hypot(...values)
  return values.map((value) => value / norm)
}

/** Ranks by exact logits, each of all classes. */
function exactly(embedding: Float32Array, coefficients: Float32Array, intercepts: Float32Array) {
  const logits = Float64Array.from(intercepts)
  PORTABLE_PRODUCTS.addProducts(embedding, coefficients, DIMENSIONS, logits)
  const classes = Int32Array.from(greatest(logits, WIDTH))
  return { classes, logits: Float64Array.from(classes, (k) => logits[k]!) }
}

/** Products that count the rows of single precision that were read. */
function counted() {
  const count = { rows: 0 }
  const products: typeof PORTABLE_PRODUCTS = {
    ...PORTABLE_PRODUCTS,
    addProducts(embedding, rows, stride, sums) {
      count.rows += sums.length
      PORTABLE_PRODUCTS.addProducts(embedding, rows, stride, sums)
    }
  }
  return { count, products }
}

test('ClassRanking gives the bits of all exact logits, whatever the number of classes and their coefficients', () => {
  for (const classCount of [1, 16, 20, 127, 128, 400, 1000]) {
    for (const scale of [0, 0.001, 1, 30]) {
      const coefficients = numbers(classCount * DIMENSIONS, classCount).map((value) => value * scale)
      // One coefficient far above the others: the rest of its class's are quantized roughly.
      coefficients[DIMENSIONS * Math.floor(classCount / 2)] = 40 * scale
      const intercepts = numbers(classCount, 3)
      const ranking = new ClassRanking(coefficients, intercepts, DIMENSIONS, PORTABLE_PRODUCTS)
      for (let seed = 0; seed < 20; seed += 1) {
        const embedding = unitVector(seed)
        assert.deepEqual(
          ranking.best(embedding, toInt16(embedding), WIDTH),
          exactly(embedding, coefficients, intercepts),
          `${classCount} classes, scale ${scale}, question ${seed}`
        )
      }
    }
  }
})

test('ClassRanking puts the lower class first of equals', () => {
  const one = unitVector(1)
  const coefficients = Float32Array.from({ length: 300 * DIMENSIONS }, (_, i) => one[i % DIMENSIONS]!)
  const ranking = new ClassRanking(coefficients, new Float32Array(300), DIMENSIONS, PORTABLE_PRODUCTS)
  const { classes } = ranking.best(one, toInt16(one), 4)
  assert.deepEqual([...classes], [0, 1, 2, 3])
})

test('ClassRanking computes few exact logits of many classes', () => {
  const { count, products } = counted()
  const ranking = new ClassRanking(numbers(1000 * DIMENSIONS, 5), numbers(1000, 6), DIMENSIONS, products)
  const embedding = unitVector(7)
  ranking.best(embedding, toInt16(embedding), WIDTH)
  assert.ok(count.rows >= WIDTH && count.rows <= 64, `${count.rows} of 1000`)
})

test('ClassRanking is exact for an embedding that is longer than 1 too', () => {
  const coefficients = numbers(400 * DIMENSIONS, 8)
  const intercepts = numbers(400, 9)
  const ranking = new ClassRanking(coefficients, intercepts, DIMENSIONS, PORTABLE_PRODUCTS)
  const embedding = unitVector(10).map((value) => value * 7)
  assert.deepEqual(ranking.best(embedding, toInt16(embedding), WIDTH), exactly(embedding, coefficients, intercepts))
})
