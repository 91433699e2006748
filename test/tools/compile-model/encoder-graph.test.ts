/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { InferenceSession } from 'onnxruntime-node'
import { graphInputs } from '../../../src/embedding/graph-inputs.ts'
import { buildEncoderGraph } from '../../../tools/compile-model/encoder-graph.ts'
import { WeightsFile } from '../../../src/onnx/onnx-graph.ts'
import { openSourceModel, type SourceModel } from '../../../tools/compile-model/source-model.ts'
import { TINY, writeTinyModel } from './tiny-model.ts'

type Matrix = number[][]

/** BERT as its paper and configuration say it, sum by sum: what the graph has to compute however it is arranged. */
function encodePlainly(model: SourceModel, ids: readonly number[]): number[] {
  const tensor = (name: string): number[] => [...model.tensor(name).data]
  const rowsOf = (name: string, columns: number): Matrix => {
    const flat = tensor(name)
    return Array.from({ length: flat.length / columns }, (_, row) => flat.slice(row * columns, (row + 1) * columns))
  }
  const linear = (input: Matrix, name: string): Matrix => {
    const bias = tensor(`${name}.bias`)
    const weights = rowsOf(`${name}.weight`, input[0]?.length ?? 0)
    return input.map((row) => weights.map((weight, output) => dot(weight, row) + (bias[output] ?? 0)))
  }
  const normalize = (input: Matrix, name: string): Matrix =>
    input.map((row) => {
      const mean = sum(row) / row.length
      const variance = sum(row.map((value) => (value - mean) ** 2)) / row.length
      const [gain, offset] = [tensor(`${name}.weight`), tensor(`${name}.bias`)]
      const deviation = Math.sqrt(variance + model.layerNormEpsilon)
      return row.map((value, column) => ((value - mean) / deviation) * (gain[column] ?? 0) + (offset[column] ?? 0))
    })
  const { hidden, heads, layers } = TINY
  const words = rowsOf('embeddings.word_embeddings.weight', hidden)
  const positions = rowsOf('embeddings.position_embeddings.weight', hidden)
  const segment = rowsOf('embeddings.token_type_embeddings.weight', hidden)[0] ?? []
  let state = normalize(
    ids.map((id, position) =>
      segment.map((value, column) => value + (words[id]?.[column] ?? 0) + (positions[position]?.[column] ?? 0))
    ),
    'embeddings.LayerNorm'
  )
  for (let index = 0; index < layers; index++) {
    const layer = `encoder.layer.${index}`
    const [query, key, value] = ['query', 'key', 'value'].map((part) =>
      linear(state, `${layer}.attention.self.${part}`)
    )
    const size = hidden / heads
    const context = state.map((_, token) =>
      Array.from({ length: heads }, (_unused, head) => {
        const part = (matrix: Matrix | undefined, row: number): number[] =>
          matrix?.[row]?.slice(head * size, (head + 1) * size) ?? []
        const scores = state.map((_row, other) => Math.exp(dot(part(query, token), part(key, other)) / Math.sqrt(size)))
        const weights = scores.map((score) => score / sum(scores))
        return Array.from({ length: size }, (_column, column) =>
          sum(weights.map((weight, other) => weight * (part(value, other)[column] ?? 0)))
        )
      }).flat()
    )
    const attended = linear(context, `${layer}.attention.output.dense`)
    const middle = normalize(addMatrices(attended, state), `${layer}.attention.output.LayerNorm`)
    const inner = linear(middle, `${layer}.intermediate.dense`).map((row) => row.map(gelu))
    state = normalize(addMatrices(linear(inner, `${layer}.output.dense`), middle), `${layer}.output.LayerNorm`)
  }
  const pooled =
    model.pooling === 'cls'
      ? (state[0] ?? [])
      : Array.from({ length: hidden }, (_, column) => sum(state.map((row) => row[column] ?? 0)) / state.length)
  return pooled.map((value) => value / Math.hypot(...pooled))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((value, index) => value * (b[index] ?? Number.NaN)))
}

function addMatrices(a: Matrix, b: Matrix): Matrix {
  return a.map((row, index) => row.map((value, column) => value + (b[index]?.[column] ?? Number.NaN)))
}

/** x Φ(x); erf by its Maclaurin series, exact enough for the small values here. */
function gelu(x: number): number {
  const z = x / Math.SQRT2
  let term = z
  let series = z
  for (let n = 1; n < 60; n++) {
    term *= (-z * z) / n
    series += term / (2 * n + 1)
  }
  return (x * (1 + (2 / Math.sqrt(Math.PI)) * series)) / 2
}

/** Encodes sentences by a graph for so many, or more. */
async function encodeByGraph(
  folder: string,
  model: SourceModel,
  sentences: readonly number[][],
  maxSentences = sentences.length
) {
  const path = join(folder, 'fp32.onnx')
  const files = { weights: new WeightsFile('weights'), wordEmbeddings: new WeightsFile('word-embeddings') }
  const graph = buildEncoderGraph(model, maxSentences, files)
  await writeFile(path, graph.toBytes())
  for (const file of Object.values(files)) await writeFile(join(folder, file.name), file.toBytes())
  const session = await InferenceSession.create(path, { graphOptimizationLevel: 'basic', intraOpNumThreads: 1 })
  const batch = { ids: Int32Array.from(sentences.flat()), lengths: sentences.map(({ length }) => length) }
  const outputs = await session.run(graphInputs(batch, maxSentences))
  await session.release()
  return outputs
}

function floatsOf(tensor: { readonly data: unknown } | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new TypeError('the graph gave no floats')
}

const SENTENCES = [
  [1, 5, 9, 13, 2],
  [1, 2],
  [1, 19, 0, 7, 4, 4, 3, 2]
]

function assertNear(found: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  assert.equal(found.length, wanted.length)
  wanted.forEach((value, index) => assert.ok(Math.abs((found[index] ?? Number.NaN) - value) < tolerance, `at ${index}`))
}

for (const pooling of ['mean', 'cls'] as const) {
  test(`the fp32 graph computes BERT with ${pooling} pooling`, async (t) => {
    const folder = await writeTinyModel(t, {
      '1_Pooling/config.json': { [`pooling_mode_${pooling}${pooling === 'cls' ? '_token' : '_tokens'}`]: true }
    })
    const model = await openSourceModel(folder)
    assert.equal(model.pooling, pooling)
    const outputs = await encodeByGraph(folder, model, SENTENCES)
    const embedding = outputs['embedding']
    assert.deepEqual(embedding?.dims, [3, TINY.hidden])
    const found = floatsOf(embedding)
    SENTENCES.forEach((ids, row) => {
      assertNear(found.subarray(row * TINY.hidden, (row + 1) * TINY.hidden), encodePlainly(model, ids), 1e-5)
    })
  })
}

test('a sentence has the same bytes alone, in company and beside places that stay empty', async (t) => {
  const folder = await writeTinyModel(t)
  const model = await openSourceModel(folder)
  const encode = async (sentences: readonly number[][], maxSentences?: number): Promise<Float32Array> =>
    floatsOf((await encodeByGraph(folder, model, sentences, maxSentences))['embedding'])
  const together = await encode(SENTENCES)
  for (const [index, sentence] of SENTENCES.entries()) {
    const wanted = together.slice(index * TINY.hidden, (index + 1) * TINY.hidden)
    assert.deepEqual(await encode([sentence]), wanted)
    assert.deepEqual((await encode([sentence], 3)).slice(0, TINY.hidden), wanted)
  }
})
