/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Type } from 'typebox'
import {
  decodeVector,
  encodeVector,
  GRAPH_SENTENCE_COUNTS,
  graphFile,
  MODEL_DESCRIPTION_FILE,
  readModelDescription,
  sha256OfFile,
  weightsFile,
  type GraphKind,
  type ModelDescription
} from '../../src/embedding/model-files.ts'
import { createTokenizer, type Tokenizer } from '../../src/embedding/tokenizer.ts'
import {
  buildEncoderGraph,
  WORD_EMBEDDINGS_FILE,
  type ActivationMaxima,
  type Arithmetic,
  type EncoderGraph
} from './encoder-graph.ts'
import { WeightsFile } from '../../src/onnx/onnx-graph.ts'
import { FP32_GATE, gateFailures, INT8_GATE, measureQuality, type Quality, type QualityGate } from './quality.ts'
import { openSourceModel, readJson } from './source-model.ts'

const TOKENIZER_FILE = 'tokenizer.json'
const SOURCE_FILES = [
  'config.json',
  'sentence_bert_config.json',
  '1_Pooling/config.json',
  TOKENIZER_FILE,
  'model.safetensors'
] as const

/** For which CPUs each int8 graph is; `GraphKind` says why there are two. */
const ACCUMULATION = { int8: 'exact', 'int8-saturation-safe': 'saturating-pairs' } as const

const GoldenFile = Type.Object({
  /** SHA-256 of the model.safetensors whose vectors these are. */
  model: Type.String(),
  sentences: Type.Array(Type.Object({ sentence: Type.String(), embedding: Type.String() }), { minItems: 2 })
})

/** Told what is being done and, at the end of a step, what came of it. */
export type Report = (line: string) => void

/**
 * Compiles a sentence-transformers folder into graphs that onnxruntime runs fast, unless the target holds just that.
 *
 * The target appears whole or not at all. It holds the graphs of each kind and their weights, the word embeddings that
 * all share, tokenizer.json and model.json.
 *
 * @param source folder with config.json, model.safetensors, tokenizer.json and the pooling files
 * @param target folder to make; what is in it already is replaced
 * @returns what model.json says
 * @throws Error when the source is of a kind that is not known, or a graph does not pass its quality gate
 */
export async function compileModel(source: string, target: string, report: Report): Promise<ModelDescription> {
  const fingerprint = await fingerprintOf(source)
  const existing = await readModelDescription(target).catch(() => undefined)
  if (existing?.fingerprint === fingerprint) return existing

  await mkdir(dirname(target), { recursive: true })
  const workFolder = await mkdtemp(`${target}.part-`)
  try {
    const description = await compileInto(workFolder, source, fingerprint, report)
    await rm(target, { recursive: true, force: true })
    await chmod(workFolder, 0o755) // mkdtemp makes folders that only their owner can read.
    await rename(workFolder, target)
    return description
  } finally {
    await rm(workFolder, { recursive: true, force: true })
  }
}

async function compileInto(
  folder: string,
  source: string,
  fingerprint: string,
  report: Report
): Promise<ModelDescription> {
  const model = await openSourceModel(source)
  const tokenizerJson: unknown = JSON.parse(await readFile(join(source, TOKENIZER_FILE), 'utf8'))
  const tokenizer = createTokenizer(tokenizerJson, { maxTokens: model.maxTokens })
  await copyFile(join(source, TOKENIZER_FILE), join(folder, TOKENIZER_FILE))
  const words = model.tensor('embeddings.word_embeddings.weight').data
  await writeFile(join(folder, WORD_EMBEDDINGS_FILE), words)
  const write = async (kind: GraphKind, arithmetic: Arithmetic): Promise<void> => {
    const weights = new WeightsFile(weightsFile(kind))
    for (const sentenceCount of GRAPH_SENTENCE_COUNTS) {
      const { onnx } = buildEncoderGraph(model, arithmetic, sentenceCount, weights)
      await writeFile(join(folder, graphFile(kind, sentenceCount)), onnx.toBytes('sentence-encoder'))
    }
    await writeFile(join(folder, weightsFile(kind)), weights.toBytes())
  }

  const probing = buildEncoderGraph(model, { kind: 'fp32', withProbes: true }, 1)
  const probingPath = join(folder, 'probing.onnx')
  await writeFile(probingPath, probing.onnx.toBytes('sentence-encoder'))
  const calibration = await readLines('calibration.txt')
  const activationMaxima = calibrate(await encodeAll(probingPath, tokenizer, calibration), probing)
  await rm(probingPath)
  report(`calibrated on ${calibration.length} sentences`)

  await write('fp32', { kind: 'fp32' })
  const fp32Path = join(folder, graphFile('fp32', 1))
  const golden = await goldenOf(source, fp32Path, tokenizer)
  const fp32Quality = measureQuality(
    golden.map(({ embedding }) => decodeVector(embedding)),
    await embeddingsOf(
      fp32Path,
      tokenizer,
      golden.map(({ sentence }) => sentence)
    )
  )
  judge('fp32', fp32Quality, FP32_GATE, report)

  const validation = await readLines('validation.txt')
  const references = await embeddingsOf(fp32Path, tokenizer, validation)
  const int8Qualities: Partial<Record<GraphKind, Quality>> = {}
  for (const kind of ['int8', 'int8-saturation-safe'] as const) {
    await write(kind, { kind: 'int8', accumulation: ACCUMULATION[kind], activationMaxima })
    const path = join(folder, graphFile(kind, 1))
    const quality = measureQuality(references, await embeddingsOf(path, tokenizer, validation))
    judge(kind, quality, INT8_GATE, report)
    int8Qualities[kind] = quality
  }

  const names = (await readdir(folder)).toSorted()
  const description: ModelDescription = {
    format: 1,
    name: basename(dirname(source)),
    fingerprint,
    dimensions: model.hiddenSize,
    maxTokens: model.maxTokens,
    files: Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await sha256OfFile(join(folder, name))]))
    ),
    quality: { fp32: fp32Quality, int8: fp32Quality, 'int8-saturation-safe': fp32Quality, ...int8Qualities },
    golden
  }
  await writeFile(join(folder, MODEL_DESCRIPTION_FILE), `${JSON.stringify(description, null, 2)}\n`)
  return description
}

/** SHA-256 over the source's files and the compiler's own: when either changes, the model has to be compiled anew. */
async function fingerprintOf(source: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of SOURCE_FILES) hash.update(`${name} ${await sha256OfFile(join(source, name))}\n`)
  for (const name of (await readdir(import.meta.dirname)).toSorted()) {
    hash.update(`${name} ${await sha256OfFile(join(import.meta.dirname, name))}\n`)
  }
  return hash.digest('hex')
}

/** Golden sentences with the reference implementation's vectors, or with the fp32 graph's for a model that has none. */
async function goldenOf(source: string, fp32Path: string, tokenizer: Tokenizer): Promise<ModelDescription['golden']> {
  const golden = await readJson(join(import.meta.dirname, 'golden.json'), GoldenFile)
  if (golden.model === (await sha256OfFile(join(source, 'model.safetensors')))) return golden.sentences
  const sentences = golden.sentences.map(({ sentence }) => sentence)
  const embeddings = await embeddingsOf(fp32Path, tokenizer, sentences)
  return sentences.map((sentence, index) => ({
    sentence,
    embedding: encodeVector(embeddings[index] ?? new Float32Array())
  }))
}

function judge(kind: GraphKind, quality: Quality, gate: QualityGate, report: Report): void {
  const failures = gateFailures(quality, gate)
  if (failures.length > 0) throw new Error(`Cannot compile the ${kind} graph: ${failures.join('; ')}`)
  report(
    `${kind}: cosine mean ${quality.meanCosine.toFixed(5)}, min ${quality.minCosine.toFixed(5)}, ` +
      `Spearman ${quality.spearman.toFixed(5)} on ${quality.sentences} sentences`
  )
}

type Outputs = Awaited<ReturnType<InferenceSession['run']>>

async function encodeAll(path: string, tokenizer: Tokenizer, sentences: readonly string[]): Promise<Outputs[]> {
  const session = await InferenceSession.create(path, { graphOptimizationLevel: 'basic', intraOpNumThreads: 1 })
  const outputs: Outputs[] = []
  for (const sentence of sentences) {
    const { ids } = tokenizer.tokenize(sentence, 'end')
    const shape = [1, ids.length]
    const positions = Int32Array.from(ids.keys())
    outputs.push(
      await session.run({
        input_ids: new Tensor('int32', ids, shape),
        positions: new Tensor('int32', positions, shape)
      })
    )
  }
  await session.release()
  return outputs
}

async function embeddingsOf(path: string, tokenizer: Tokenizer, sentences: readonly string[]): Promise<Float32Array[]> {
  const outputs = await encodeAll(path, tokenizer, sentences)
  return outputs.map((output) => floatsOf(output, 'embedding'))
}

function calibrate(outputs: readonly Outputs[], graph: EncoderGraph): ActivationMaxima {
  const maxima = new Map<string, Float32Array>()
  for (const [layer, probe] of graph.probes) {
    const ofSentences = outputs.map((output) => floatsOf(output, probe))
    const columns = Float32Array.from(ofSentences[0] ?? [], (_, column) =>
      Math.max(...ofSentences.map((values) => values[column] ?? 0))
    )
    maxima.set(layer, columns)
  }
  return maxima
}

function floatsOf(outputs: Outputs, name: string): Float32Array {
  const data = outputs[name]?.data
  if (data instanceof Float32Array) return data.slice()
  throw new TypeError(`Cannot read output "${name}": the graph gave no floats under that name`)
}

async function readLines(name: string): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, name), 'utf8')
  return text.split('\n').filter((line) => line !== '')
}
