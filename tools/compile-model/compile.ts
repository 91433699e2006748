/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import { Type } from 'typebox'
import {
  decodeVector,
  encodeVector,
  graphFile,
  MAX_BATCH_SENTENCES,
  MODEL_DESCRIPTION_FILE,
  readModelDescription,
  sha256OfFile,
  weightsFile,
  WORD_EMBEDDINGS_FILE,
  type GraphKind,
  type ModelDescription
} from '../../src/embedding/model-files.ts'
import { openEncoderSession } from '../../src/embedding/encoder-session.ts'
import { graphInputs } from '../../src/embedding/graph-inputs.ts'
import { createTokenizer, type Tokenizer } from '../../src/embedding/tokenizer.ts'
import { compileNative, findNativeSupport, NATIVE_SOURCES, type NativeSupport } from './compile-native.ts'
import { buildEncoderGraph, type Arithmetic, type EncoderGraph } from './encoder-graph.ts'
import { packWeights } from './packed-weights.ts'
import type { ActivationStatistics } from './quantize.ts'
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
 * all share, tokenizer.json and model.json; and the native encoder with its weights, where this machine can compile it.
 *
 * @param source folder with config.json, model.safetensors, tokenizer.json and the pooling files
 * @param target folder to make; what is in it already is replaced
 * @returns what model.json says
 * @throws Error when the source is of a kind that is not known, or a graph does not pass its quality gate
 */
export async function compileModel(source: string, target: string, report: Report): Promise<ModelDescription> {
  const native = await findNativeSupport()
  const fingerprint = await fingerprintOf(source, native)
  const existing = await readModelDescription(target).catch(() => undefined)
  if (existing?.fingerprint === fingerprint) return existing

  await mkdir(dirname(target), { recursive: true })
  const workFolder = await mkdtemp(`${target}.part-`)
  try {
    const description = await compileInto(workFolder, source, { fingerprint, native }, report)
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
  { fingerprint, native }: { readonly fingerprint: string; readonly native: NativeSupport },
  report: Report
): Promise<ModelDescription> {
  const model = await openSourceModel(source)
  const tokenizerJson: unknown = JSON.parse(await readFile(join(source, TOKENIZER_FILE), 'utf8'))
  const tokenizer = createTokenizer(tokenizerJson, { maxTokens: model.maxTokens })
  await copyFile(join(source, TOKENIZER_FILE), join(folder, TOKENIZER_FILE))
  const wordEmbeddings = new WeightsFile(WORD_EMBEDDINGS_FILE)
  const write = async (kind: GraphKind, arithmetic: Arithmetic): Promise<void> => {
    const weights = new WeightsFile(weightsFile(kind))
    const files = { weights, wordEmbeddings }
    const { onnx } = buildEncoderGraph(model, arithmetic, MAX_BATCH_SENTENCES, files)
    await writeFile(join(folder, graphFile(kind)), onnx.toBytes('sentence-encoder'))
    for (const file of Object.values(files)) await writeFile(join(folder, file.name), file.toBytes())
  }

  const probing = buildEncoderGraph(model, { kind: 'fp32', withProbes: true }, MAX_BATCH_SENTENCES)
  const probingPath = join(folder, 'probing.onnx')
  await writeFile(probingPath, probing.onnx.toBytes('sentence-encoder'))
  const calibration = await readLines('calibration.txt')
  const tokenCounts = calibration.map((sentence) => tokenizer.tokenize(sentence, 'end').ids.length)
  const activations = calibrate(await encodeAll(probingPath, tokenizer, calibration), tokenCounts, probing)
  await rm(probingPath)
  report(`calibrated on ${calibration.length} sentences`)

  await write('fp32', { kind: 'fp32' })
  const fp32Path = join(folder, graphFile('fp32'))
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
    // The quicker of two ways; the other where that does not pass.
    for (const hasStaticScales of [true, false]) {
      await write(kind, { kind: 'int8', accumulation: ACCUMULATION[kind], activations, hasStaticScales })
      const quality = measureQuality(
        references,
        await embeddingsOf(join(folder, graphFile(kind)), tokenizer, validation)
      )
      const failures = gateFailures(quality, INT8_GATE)
      if (hasStaticScales && failures.length > 0) {
        report(`${kind}: without static scales, since with them ${failures.join('; ')}`)
        continue
      }
      judge(kind, quality, INT8_GATE, report)
      int8Qualities[kind] = quality
      break
    }
  }

  if (native.isThere) {
    const vocabularySize = model.tensor('embeddings.word_embeddings.weight').shape[0] ?? 0
    const path = join(folder, graphFile('int8-native'))
    await writeFile(join(folder, weightsFile('int8-native')), packWeights(model, activations, vocabularySize))
    await compileNative(path)
    const quality = measureQuality(references, await embeddingsOf(path, tokenizer, validation))
    judge('int8-native', quality, INT8_GATE, report)
    int8Qualities['int8-native'] = quality
  } else {
    report(`int8-native is left out: ${native.reason}`)
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

/**
 * SHA-256 over the source's files, the compilers' own and the size of a batch: when one changes, the model has to be
 * compiled anew.
 */
async function fingerprintOf(source: string, native: NativeSupport): Promise<string> {
  const hash = createHash('sha256').update(`batches of ${MAX_BATCH_SENTENCES}\n`)
  for (const name of SOURCE_FILES) hash.update(`${name} ${await sha256OfFile(join(source, name))}\n`)
  for (const folder of [import.meta.dirname, NATIVE_SOURCES]) {
    for (const name of (await readdir(folder)).toSorted()) {
      hash.update(`${name} ${await sha256OfFile(join(folder, name))}\n`)
    }
  }
  return hash.update(JSON.stringify(native)).digest('hex')
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

/** All that a graph gives, of each sentence. */
async function encodeAll(path: string, tokenizer: Tokenizer, sentences: readonly string[]): Promise<Outputs[]> {
  const session = await InferenceSession.create(path, { graphOptimizationLevel: 'basic', intraOpNumThreads: 1 })
  const outputs: Outputs[] = []
  for (const sentence of sentences) {
    const { ids } = tokenizer.tokenize(sentence, 'end')
    outputs.push(
      await session.run(graphInputs({ ids: Int32Array.from(ids), lengths: [ids.length] }, MAX_BATCH_SENTENCES))
    )
  }
  await session.release()
  return outputs
}

async function embeddingsOf(path: string, tokenizer: Tokenizer, sentences: readonly string[]): Promise<Float32Array[]> {
  const session = await openEncoderSession(path)
  const embeddings: Float32Array[] = []
  for (const sentence of sentences) {
    const { ids } = tokenizer.tokenize(sentence, 'end')
    embeddings.push(await session.encode({ ids: Int32Array.from(ids), lengths: [ids.length] }))
  }
  await session.close()
  return embeddings
}

/** @param tokenCounts of the sentences, one for each run */
function calibrate(
  outputs: readonly Outputs[],
  tokenCounts: readonly number[],
  graph: EncoderGraph
): ReadonlyMap<string, ActivationStatistics> {
  const tokenCount = tokenCounts.reduce((sum, count) => sum + count, 0)
  const byColumn = (name: string, combine: (values: readonly number[]) => number): Float32Array => {
    const ofSentences = outputs.map((output) => floatsOf(output, name))
    return Float32Array.from(ofSentences[0] ?? [], (_, column) =>
      combine(ofSentences.map((values) => values[column] ?? 0))
    )
  }
  return new Map(
    [...graph.probes].map(([layer, { maxima, squares }]) => [
      layer,
      {
        maxima: byColumn(maxima, (values) => Math.max(...values)),
        meanSquares: byColumn(squares, (values) => values.reduce((sum, value) => sum + value, 0) / tokenCount)
      }
    ])
  )
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
