/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: what is left of the machine's arithmetic when whole sentences are encoded.
 *
 *     npm run bench -- arithmetic-limit
 */

import { InferenceSession, Tensor } from 'onnxruntime-node'
import { OnnxGraph } from '../../src/onnx/onnx-graph.ts'
import { openSourceModel } from '../compile-model/source-model.ts'
import { measureKernelPeaks, type Peak } from './engine/kernel-peak.ts'
import { kernelsOfThisMachine, openEncoder } from './engine/open-encoder.ts'
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
const PEAK_ATTEMPTS = 3
const MIN_MEASURE_MS = 400

const { layerCount, hiddenSize, intermediateSize } = await openSourceModel(SOURCE_MODEL)
const random = createRandom(2)
/** Inputs and outputs of the linear layers of one layer: query, key and value in one; attention output; feed-forward. */
const LINEAR_LAYERS = [
  [hiddenSize, 3 * hiddenSize],
  [hiddenSize, hiddenSize],
  [hiddenSize, intermediateSize],
  [intermediateSize, hiddenSize]
] as const
const multiplyAddsOfLayer = LINEAR_LAYERS.reduce((sum, [inputs, outputs]) => sum + inputs * outputs, 0)

const peaks: Peak[] = await measureKernelPeaks(hiddenSize, intermediateSize)
for (const tokenCount of PEAK_TOKEN_COUNTS) {
  peaks.push({ kernel: 'fp32', tokenCount, multiplyAddsPerSecond: await measureFp32Peak(tokenCount) })
}

const encoded: ArithmeticLimitResult['encoded'] = []
for (const kernel of [...(await kernelsOfThisMachine()), 'fp32']) {
  const encoder = kernel === 'fp32' ? await openEncoder('fp32') : await openEncoder('int8', kernel)
  for (const { tokenCount, sentenceCount } of SENTENCES) {
    const rows = Array.from({ length: sentenceCount }, () => randomTokens(tokenCount, random))
    const callsPerSecond = await measureRate(async () => encoder.encodeTokens(rows))
    encoded.push({ kernel, tokenCount, sentenceCount, sentencesPerSecond: callsPerSecond * sentenceCount })
  }
  await encoder.close()
}

const result: ArithmeticLimitResult = { multiplyAddsPerToken: layerCount * multiplyAddsOfLayer, peaks, encoded }
process.stdout.write(`${JSON.stringify(result)}\n`)

/** Multiply-adds a second of one thread of onnxruntime that computes the products of one layer and nothing else. */
async function measureFp32Peak(tokenCount: number): Promise<number> {
  const graph = new OnnxGraph()
  const feeds: Record<string, Tensor> = {}
  for (const [inputs, outputs] of LINEAR_LAYERS) {
    const name = `${inputs}x${outputs}`
    const values = Float32Array.from({ length: inputs * outputs }, () => random() * 2 - 1)
    const input = graph.input(`input of ${name}`, 'float', [tokenCount, inputs])
    feeds[input] = new Tensor('float32', Float32Array.from({ length: tokenCount * inputs }, random), [
      tokenCount,
      inputs
    ])
    const product = graph.node('MatMul', [input, graph.floats(name, values, [inputs, outputs])])
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
