/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: what is left of the machine's arithmetic when whole sentences are encoded, and what takes the rest.
 *
 *     npm run bench -- arithmetic-limit
 */

import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { graphInputs } from '../../src/embedding/graph-inputs.ts'
import { graphFile, MAX_BATCH_SENTENCES, type GraphKind } from '../../src/embedding/model-files.ts'
import { OnnxGraph } from '../../src/onnx/onnx-graph.ts'
import { openSourceModel } from '../compile-model/source-model.ts'
import { COMPILED_MODEL, int8GraphOfThisMachine, openEncoder } from './engine/open-encoder.ts'
import { profileOperators } from './engine/profile.ts'
import { createRandom, randomTokens } from './engine/random-tokens.ts'
import { SOURCE_MODEL } from './peers/install.ts'
import type { ArithmeticLimitResult } from './report/arithmetic-limit.ts'

const PEAK_TOKEN_COUNTS = [1, 4, 16, 64, 256]
const SENTENCES = [
  { tokenCount: 16, sentenceCount: 1 },
  { tokenCount: 16, sentenceCount: 32 },
  { tokenCount: 64, sentenceCount: 8 },
  { tokenCount: 256, sentenceCount: 1 }
]
const PROFILE_TOKEN_COUNT = 16
const PROFILE_RUN_COUNT = 400
const PEAK_ATTEMPTS = 3
const MIN_MEASURE_MS = 400

const { layerCount, hiddenSize, intermediateSize } = await openSourceModel(SOURCE_MODEL)
const random = createRandom(2)
/** Inputs and outputs of the products of one layer: query, key and value in one; attention output; feed-forward. */
const PRODUCTS = [
  [hiddenSize, 3 * hiddenSize],
  [hiddenSize, hiddenSize],
  [hiddenSize, intermediateSize],
  [intermediateSize, hiddenSize]
] as const
const multiplyAddsOfLayer = PRODUCTS.reduce((sum, [inputs, outputs]) => sum + inputs * outputs, 0)
const multiplyAddsPerToken = layerCount * multiplyAddsOfLayer

const peaks: ArithmeticLimitResult['peaks'] = []
for (const tokenCount of PEAK_TOKEN_COUNTS) {
  peaks.push({
    tokenCount,
    int8: await measurePeak('int8', tokenCount),
    fp32: await measurePeak('fp32', tokenCount)
  })
}

const int8Graph = await int8GraphOfThisMachine()
/** What onnxruntime's profiler can tell of. */
const onnxGraph = int8Graph === 'int8-native' ? 'int8' : int8Graph
const encoded: ArithmeticLimitResult['encoded'] = []
for (const graph of new Set([int8Graph, onnxGraph, 'fp32'] as const)) {
  const encoder = await openEncoder(graph)
  for (const { tokenCount, sentenceCount } of SENTENCES) {
    const rows = Array.from({ length: sentenceCount }, () => randomTokens(tokenCount, random))
    const callsPerSecond = await measureRate(async () => encoder.encodeTokens(rows))
    encoded.push({ graph, tokenCount, sentenceCount, sentencesPerSecond: callsPerSecond * sentenceCount })
  }
  await encoder.close()
}

const result: ArithmeticLimitResult = {
  multiplyAddsPerToken,
  peaks,
  onnxGraph,
  encoded,
  profile: await profile(onnxGraph)
}
process.stdout.write(`${JSON.stringify(result)}\n`)

/** Multiply-adds a second of one thread that computes the products of one layer and nothing else. */
async function measurePeak(precision: 'int8' | 'fp32', tokenCount: number): Promise<number> {
  const graph = new OnnxGraph()
  const feeds: Record<string, Tensor> = {}
  for (const [inputs, outputs] of PRODUCTS) {
    const name = `${inputs}x${outputs}`
    const values = Float32Array.from({ length: inputs * outputs }, () => random() * 200 - 100)
    const type = precision === 'int8' ? 'uint8' : 'float'
    const input = graph.input(`input of ${name}`, type, [tokenCount, inputs])
    feeds[input] =
      precision === 'int8'
        ? new Tensor(
            'uint8',
            Uint8Array.from({ length: tokenCount * inputs }, () => random() * 255),
            [tokenCount, inputs]
          )
        : new Tensor('float32', Float32Array.from({ length: tokenCount * inputs }, random), [tokenCount, inputs])
    const product =
      precision === 'int8'
        ? graph.node(
            'MatMulIntegerToFloat',
            [
              input,
              graph.constant(name, 'int8', [inputs, outputs], Int8Array.from(values)),
              graph.floats('input-scale', Float32Array.of(1 / 127), []),
              graph.floats(`${name}.scale`, new Float32Array(outputs).fill(1 / 127)),
              graph.constant('zero-point', 'uint8', [], Uint8Array.of(128))
            ],
            {},
            'com.microsoft'
          )
        : graph.node('MatMul', [input, graph.floats(name, values, [inputs, outputs])])
    graph.output(product, 'float', [tokenCount, outputs])
  }
  const session = await InferenceSession.create(graph.toBytes(), {
    graphOptimizationLevel: 'basic',
    intraOpNumThreads: 1,
    interOpNumThreads: 1
  })
  const rates: number[] = []
  // The best, since what disturbs a measurement only ever makes it slower, and this is to be the limit.
  for (let attempt = 0; attempt < PEAK_ATTEMPTS; attempt += 1)
    rates.push(await measureRate(async () => session.run(feeds)))
  await session.release()
  return Math.max(...rates) * tokenCount * multiplyAddsOfLayer
}

/** Calls a second, one after the other, when warm. */
async function measureRate(call: () => Promise<unknown>): Promise<number> {
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await call()
  let callCount = 0
  const beganMs = performance.now()
  let elapsedMs = 0
  while (elapsedMs < MIN_MEASURE_MS) {
    await call()
    callCount += 1
    elapsedMs = performance.now() - beganMs
  }
  return (callCount * 1000) / elapsedMs
}

async function profile(graph: GraphKind): Promise<ArithmeticLimitResult['profile']> {
  const ids = randomTokens(PROFILE_TOKEN_COUNT, random)
  const feeds = graphInputs({ ids, lengths: [ids.length] }, MAX_BATCH_SENTENCES)
  const times = await profileOperators(join(COMPILED_MODEL, graphFile(graph)), feeds, PROFILE_RUN_COUNT)
  const runMicroseconds = times.reduce((sum, { microseconds }) => sum + microseconds, 0)
  return {
    tokenCount: PROFILE_TOKEN_COUNT,
    runMicroseconds,
    operators: times.map(({ name, nodeCount, microseconds }) => ({
      name,
      nodeCount,
      share: microseconds / runMicroseconds
    }))
  }
}
