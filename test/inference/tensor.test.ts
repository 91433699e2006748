/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readInputs } from '../../src/inference/inference-model.ts'
import { DATATYPES, readTensor, tensorBytes } from '../../src/inference/tensor.ts'

test('every datatype comes back from its bytes as from its JSON', () => {
  for (const datatype of DATATYPES) {
    const data = datatype === 'BYTES' ? ['a', 'é'] : [0, 1]
    const tensor = readTensor({ name: 'x', datatype, shape: [2], data })
    const bytes = Buffer.concat([Buffer.alloc(1), tensorBytes(tensor)]).subarray(1)
    assert.deepEqual(readTensor({ name: 'x', datatype, shape: [2], data: bytes }), tensor, datatype)
  }
})

test('a number that its datatype cannot hold is refused, not wrapped round', () => {
  const cases = [
    ['UINT8', 256],
    ['UINT8', -1],
    ['INT8', 1.5],
    ['INT64', 2 ** 53],
    ['UINT64', -1],
    ['BOOL', 2],
    ['FP32', 1e39],
    ['FP64', 'one'],
    ['INT32', null],
    ['BYTES', 1]
  ] as const
  for (const [datatype, value] of cases) {
    const read = () => readTensor({ name: 'x', datatype, shape: [1], data: [value] })
    assert.throws(read, /Cannot read input "x": element 0 /, `${datatype} ${value}`)
  }
  assert.deepEqual(readTensor({ name: 'x', datatype: 'FP32', shape: [1], data: [0.1] }).data, Float32Array.of(0.1))
  assert.deepEqual(readTensor({ name: 'x', datatype: 'BOOL', shape: [1], data: [true] }).data, Uint8Array.of(1))
})

test('readInputs() takes numbers of another datatype where they fit, and texts for texts alone', () => {
  const specs = [{ name: 'x', datatype: 'FP64', shape: [-1] }] as const
  const whole = readInputs(specs, [{ name: 'x', datatype: 'INT64', shape: [2, 1], data: [[1], [2]] }])
  assert.deepEqual(whole.get('x'), { name: 'x', datatype: 'FP64', shape: [2], data: Float64Array.of(1, 2) })
  const texts = [{ name: 'x', datatype: 'BYTES', shape: [1], data: ['1'] }] as const
  assert.throws(() => readInputs(specs, texts), /has datatype BYTES, wanted is FP64/)
})
