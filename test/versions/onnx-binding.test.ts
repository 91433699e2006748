/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindOnnx, type Bound, type OnnxSignature } from '../../src/versions/onnx-binding.ts'
import type { OnnxValue } from '../../src/onnx/inspect-onnx.ts'

const SIGNATURE: OnnxSignature = {
  features: [
    { name: 'note', type: 'text' },
    { name: 'heat', type: 'number' }
  ],
  label: { name: 'state', type: 'text' },
  classIds: ['ok', 'bad']
}
const DIMENSIONS = 4
const PROBABILITIES: OnnxValue = { name: 'probabilities', type: 'float', shape: [undefined, 2] }

function value(name: string, type: OnnxValue['type'], ...shape: (number | undefined)[]): OnnxValue {
  return { name, type, shape }
}

function bind(inputs: readonly OnnxValue[], outputs = [PROBABILITIES], signature = SIGNATURE): Bound {
  return bindOnnx({ inputs, outputs }, signature, DIMENSIONS)
}

function inputsOf(bound: Bound): unknown {
  return bound.outcome === 'bound' ? bound.binding.inputs : bound.problems
}

function problemsOf(bound: Bound): readonly string[] {
  return bound.outcome === 'refused' ? bound.problems : []
}

test('bindOnnx() takes one matrix of floats for all features side by side, as wide as they are', () => {
  assert.deepEqual(inputsOf(bind([value('x', 'float', undefined, 5)])), { kind: 'matrix', name: 'x', type: 'float32' })
  assert.deepEqual(inputsOf(bind([value('x', 'double', undefined, undefined)])), {
    kind: 'matrix',
    name: 'x',
    type: 'float64'
  })
  assert.deepEqual(problemsOf(bind([value('x', 'float', undefined, 6)])), [
    "input x is 6 wide, the signature's features are 5"
  ])
})

test('bindOnnx() takes each feature as an input of its name: a text as itself or its embedding', () => {
  const heat = value('heat', 'int64', undefined, 1)
  assert.deepEqual(inputsOf(bind([heat, value('note', 'string', undefined)])), {
    kind: 'columns',
    columns: [
      { name: 'note', type: 'string', isFlat: true },
      { name: 'heat', type: 'int64', isFlat: false }
    ]
  })
  assert.deepEqual(inputsOf(bind([value('note', 'float', undefined, 4), heat])), {
    kind: 'columns',
    columns: [
      { name: 'note', type: 'float32', isFlat: false },
      { name: 'heat', type: 'int64', isFlat: false }
    ]
  })
})

test('bindOnnx() lists all that does not fit', () => {
  const problems = problemsOf(
    bind([value('note', 'int64', undefined, 4), value('other', 'float', 1, 1)], [value('label', 'int64', undefined)])
  )
  assert.deepEqual(problems, [
    'input other takes exactly 1 rows: leave its first dimension free',
    'input other is no feature of the signature',
    'input note is of a type or shape that a text does not have',
    'feature heat is no input of the model',
    'a float output of shape [n,2] is wanted; found label int64[n]'
  ])
})

test('bindOnnx() finds the output, and asks for its name where several could be it', () => {
  const matrix = [value('x', 'float', undefined, 5)]
  const outputs = [PROBABILITIES, value('logits', 'float', undefined, undefined), value('label', 'int64', undefined)]
  const [problem] = problemsOf(bind(matrix, outputs))
  assert.match(
    problem ?? '',
    /^name the output, several could be it; found probabilities float\[n,2\], logits float\[n,n\]/
  )
  const named = bind(matrix, outputs, { ...SIGNATURE, output: 'logits' })
  assert.equal(named.outcome === 'bound' && named.binding.output, 'logits')
  assert.match(problemsOf(bind(matrix, outputs, { ...SIGNATURE, output: 'none' }))[0] ?? '', /named none is wanted/)
})
