/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { findCandidates, greatest, MAX_CANDIDATES } from '../../src/learning/candidates.ts'
import { groupByClass } from '../../src/learning/class-samples.ts'
import { gramsOf } from '../../src/learning/character-grams.ts'
import { matrixRow } from '../../src/learning/matrix.ts'
import { dotOfAny } from '../../src/learning/vectors.ts'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { clusters } from './clusters.ts'

const engine = await TensorEngine.create()
after(() => engine[Symbol.asyncDispose]())

test('greatest() gives the greatest, descending, the first of equals first', () => {
  assert.deepEqual(greatest([1, 5, 5, 0, 7], 3), [4, 1, 2])
  assert.deepEqual(greatest([2, 1], 5), [0, 1])
  assert.deepEqual(greatest([], 2), [])
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.integer({ min: 1, max: 12 }), (values, count) => {
      const wanted = [...values.keys()].toSorted((a, b) => values[b]! - values[a]! || a - b).slice(0, count)
      assert.deepEqual(greatest(values, count), wanted)
    })
  )
})

test('findCandidates() takes the classes of the greatest logits and their nearest samples, held-out ones left out', async () => {
  const set = clusters(20, 100)
  const { features, labels, classCount } = set
  const model = {
    classCount,
    dimensions: features.columns,
    coefficients: features.values.slice(0, classCount * features.columns),
    intercepts: Float32Array.from({ length: classCount }, (_, k) => k / 50)
  }
  const trained = Int32Array.from([...labels.keys()].filter((i) => i >= 20 && labels[i] !== 3))
  const queries = { ...features, rows: 7, values: features.values.slice(0, 7 * features.columns) }
  const found = await findCandidates(engine, model, groupByClass(set, labels, classCount, trained), {
    features: queries
  })
  assert.deepEqual([found.count, found.width], [7, MAX_CANDIDATES])
  for (let i = 0; i < 7; i++) {
    const query = matrixRow(queries, i)
    const logits = Array.from(
      { length: classCount },
      (_, k) => dotOfAny(query, matrixRow({ ...features, values: model.coefficients }, k)) + model.intercepts[k]!
    )
    for (const [place, k] of greatest(logits, MAX_CANDIDATES).entries()) {
      const at = i * MAX_CANDIDATES + place
      assert.equal(found.classes[at], k)
      assert.ok(Math.abs(found.logits[at]! - logits[k]!) < 1e-5)
      const cosines = [...trained].filter((s) => labels[s] === k).map((s) => dotOfAny(query, matrixRow(features, s)))
      assert.ok(Math.abs(found.similarities[at]! - Math.max(-1, ...cosines)) < 1e-5)
    }
  }
})

test('findCandidates() finds the class’s text that shares most characters, held-out ones left out', async () => {
  const { features, labels, classCount } = clusters(3, 6)
  const texts = labels
    .map((_, i) => i)
    .reduce<string[]>((all, i) => [...all, ['refund', 'parcel', 'colour'][i % 3]!], [])
  const grams = texts.map(gramsOf)
  const model = {
    classCount,
    dimensions: features.columns,
    coefficients: new Float32Array(classCount * features.columns),
    intercepts: new Float32Array(classCount)
  }
  const all = Int32Array.from(labels.keys())
  const asked = {
    features: { ...features, rows: 1, values: features.values.slice(0, features.columns) },
    grams: [gramsOf('refundd')]
  }
  const near = await findCandidates(engine, model, groupByClass({ features, grams }, labels, classCount, all), asked)
  const own = labels[texts.indexOf('refund')]!
  for (const [at, k] of near.classes.entries()) {
    if (k === own) assert.ok(near.gramSimilarities[at]! > 0.2, `${near.gramSimilarities[at]}`)
    else assert.ok(near.gramSimilarities[at]! < 0.1, `${near.gramSimilarities[at]}`)
  }
  const others = all.filter((i) => texts[i] !== 'refund')
  const far = await findCandidates(engine, model, groupByClass({ features, grams }, labels, classCount, others), asked)
  assert.ok(far.gramSimilarities.every((similarity) => similarity < 0.1))
  const blind = await findCandidates(engine, model, groupByClass({ features }, labels, classCount, all), asked)
  assert.ok(blind.gramSimilarities.every((similarity) => similarity === 0))
})
