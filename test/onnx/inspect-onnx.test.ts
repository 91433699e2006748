/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OnnxGraph, WeightsFile } from '../../src/onnx/onnx-graph.ts'
import { inspectOnnx } from '../../src/onnx/inspect-onnx.ts'
import { deepModel, linearModel, loopModel, modelOf, modelWithOperator, nestedModel } from './models.ts'

function problemsOf(bytes: Uint8Array): readonly string[] {
  const inspection = inspectOnnx(bytes)
  return inspection.outcome === 'refused' ? inspection.problems : []
}

test('inspectOnnx() tells the tensors of a model; a size that is free is undefined', () => {
  assert.deepEqual(inspectOnnx(linearModel()), {
    outcome: 'accepted',
    summary: {
      inputs: [{ name: 'features', type: 'float', shape: [undefined, 3] }],
      outputs: [{ name: 'probabilities', type: 'float', shape: [undefined, 2] }]
    }
  })
})

test('inspectOnnx() lists each operator that is not taken, also in the body of a loop, with how often it is there', () => {
  assert.deepEqual(problemsOf(loopModel(3)), [])
  assert.deepEqual(problemsOf(loopModel(3, 'RandomUniform')), ['operator RandomUniform is not taken (1 times)'])
  const twice = modelOf({ node: [{ op_type: 'ImageDecoder' }, { op_type: 'ImageDecoder' }, { op_type: 'Bernoulli' }] })
  assert.deepEqual(problemsOf(twice), [
    'operator Bernoulli is not taken (1 times)',
    'operator ImageDecoder is not taken (2 times)'
  ])
})

test('inspectOnnx() refuses operators of vendors by the name of whose they are, and functions', () => {
  assert.deepEqual(problemsOf(modelWithOperator('FusedGemm', 'com.microsoft')), [
    'operator FusedGemm of com.microsoft is not taken (1 times)'
  ])
  assert.deepEqual(problemsOf(modelWithOperator('Scaler', 'ai.onnx.ml')), [])
  assert.deepEqual(problemsOf(modelWithOperator('<script>', 'a b')), [
    'operator (not a name) of (not a name) is not taken (1 times)'
  ])
  assert.deepEqual(problemsOf(modelWithOperator('Relu', '', { functions: [{ name: 'f', domain: 'd' }] })), [
    'functions of its own are not taken: inline them'
  ])
})

test('inspectOnnx() takes a ZipMap whose map is an output alone, and else names the switch that leaves it out', () => {
  const zipMap = { op_type: 'ZipMap', domain: 'ai.onnx.ml', input: ['p'], output: ['maps'] }
  const sets = { opset_import: [{ domain: '', version: 17 }] }
  const output = [{ name: 'maps' }]
  const inspection = inspectOnnx(modelOf({ node: [zipMap], output }, sets))
  assert.deepEqual(inspection, {
    outcome: 'accepted',
    summary: {
      inputs: [],
      outputs: [{ name: 'maps', type: 'float', shape: [undefined, undefined] }],
      needsPreparation: true
    }
  })
  const hint = /^operator ZipMap of ai\.onnx\.ml is not taken here: .*options=\{"zipmap": False\}/
  for (const bytes of [
    modelOf({ node: [zipMap, { op_type: 'Identity', input: ['maps'], output: ['x'] }], output }, sets),
    modelOf({ node: [zipMap] }, sets),
    modelOf({ node: [zipMap], output }, { opset_import: [{ domain: 'ai.onnx.ml', version: 3 }] })
  ]) {
    assert.match(problemsOf(bytes)[0] ?? '', hint)
  }
})

test('inspectOnnx() takes the one operator of a vendor that TF-IDF pipelines have', () => {
  assert.deepEqual(problemsOf(modelWithOperator('Tokenizer', 'com.microsoft')), [])
  assert.deepEqual(problemsOf(modelWithOperator('Tokenizer', 'com.example')).length, 1)
})

test('inspectOnnx() refuses constants in other files, wherever in the model they are', () => {
  const refusal = ['constants in other files are not taken: save it as one file']
  const graph = new OnnxGraph(new WeightsFile('weights'))
  const weights = graph.floats('w', new Float32Array(10_000), [100, 100])
  graph.output(graph.node('MatMul', [graph.input('x', 'float', ['n', 100]), weights]), 'float', ['n', 100])
  assert.deepEqual(problemsOf(graph.toBytes()), refusal)
  const external = { data_type: 1, dims: [1], external_data: [{ key: 'location', value: '/etc/passwd' }] }
  const places = [
    { node: [{ op_type: 'Constant', attribute: [{ name: 'value', t: external }] }] },
    { node: [{ op_type: 'Constant', attribute: [{ name: 'value', tensors: [external] }] }] },
    { node: [{ op_type: 'Constant', attribute: [{ name: 'value', sparse_tensor: { values: external } }] }] },
    { node: [{ op_type: 'Relu' }], sparse_initializer: [{ indices: external }] },
    { node: [{ op_type: 'If', attribute: [{ name: 'then', g: { node: [], initializer: [external] } }] }] }
  ]
  for (const place of places) assert.deepEqual(problemsOf(modelOf(place)), refusal)
})

test('inspectOnnx() refuses what is no model, is too deep or has too many operators', () => {
  const noFile = ['it is no ONNX file: it cannot be read as one']
  assert.deepEqual(problemsOf(Buffer.from('not a model at all')), noFile)
  assert.deepEqual(problemsOf(linearModel().subarray(0, 60)), noFile)
  assert.deepEqual(problemsOf(new Uint8Array()), ['it is no ONNX file: it has no graph'])
  assert.deepEqual(problemsOf(nestedModel(8)), [])
  assert.deepEqual(problemsOf(nestedModel(9)), ['graphs within graphs are more than 8 deep'])
  assert.deepEqual(problemsOf(deepModel(500)), noFile)
  const many = modelOf({ node: Array.from({ length: 50_001 }, () => ({ op_type: 'Relu' })) })
  assert.deepEqual(problemsOf(many), ['it has 50001 operators, at most 50000'])
  const odd = modelOf({ node: Array.from({ length: 25 }, (_, index) => ({ op_type: `Op${index}` })) })
  assert.equal(problemsOf(odd).length, 21)
  assert.equal(problemsOf(odd).at(-1), 'and 5 more')
})
