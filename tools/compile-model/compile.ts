/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Type } from 'typebox'
import { openEncoderSession, type SessionSource } from '../../src/embedding/encoder-session.ts'
import {
  decodeVector,
  encodeVector,
  GRAPH_FILE,
  MAX_BATCH_SENTENCES,
  MODEL_DESCRIPTION_FILE,
  readModelDescription,
  sha256OfFile,
  weightsFile,
  WORD_EMBEDDINGS_FILE,
  type ModelDescription
} from '../../src/embedding/model-files.ts'
import { loadNativeProgram } from '../../src/embedding/native-program.ts'
import { createTokenizer, type Tokenizer } from '../../src/embedding/tokenizer.ts'
import { WeightsFile } from '../../src/onnx/onnx-graph.ts'
import type { Report } from './c-compiler.ts'
import { NATIVE_SOURCES, type NativeBuild } from './compile-native.ts'
import { buildEncoderGraph } from './encoder-graph.ts'
import { FloatEncoder } from './float-encoder.ts'
import { packFloatWeights, packWeights, problemOfSizes } from './packed-weights.ts'
import { FP32_GATE, gateFailures, INT8_GATE, measureQuality, type Quality, type QualityGate } from './quality.ts'
import { openSourceModel, readJson, type SourceModel } from './source-model.ts'

const TOKENIZER_FILE = 'tokenizer.json'
const SOURCE_FILES = [
  'config.json',
  'sentence_bert_config.json',
  '1_Pooling/config.json',
  TOKENIZER_FILE,
  'model.safetensors'
] as const

const GoldenFile = Type.Object({
  /** SHA-256 of the model.safetensors whose vectors these are. */
  model: Type.String(),
  sentences: Type.Array(Type.Object({ sentence: Type.String(), embedding: Type.String() }), { minItems: 2 })
})

/**
 * Compiles a sentence-transformers folder, unless the target holds just that. What it holds is the same whatever machine
 * compiled it: the graph and weights of fp32 for onnxruntime; the weights of int8 for the native encoder, where there is
 * one; the word embeddings that both share, tokenizer.json and model.json. The target appears whole or not at all.
 *
 * @param source folder with config.json, model.safetensors, tokenizer.json and the pooling files
 * @param target folder to make; what is in it already is replaced
 * @param lists folder with calibration.txt and validation.txt (sentences, one a line) and golden.json
 * @returns what model.json says
 * @throws Error when the source is of a kind that is not known, or a precision does not pass its quality gate
 */
export async function compileModel(
  source: string,
  target: string,
  native: NativeBuild,
  report: Report,
  lists: string = import.meta.dirname
): Promise<ModelDescription> {
  const fingerprint = await fingerprintOf(source, native, lists)
  const existing = await readModelDescription(target).catch(() => undefined)
  if (existing?.fingerprint === fingerprint) return existing

  await mkdir(dirname(target), { recursive: true })
  const workFolder = await mkdtemp(`${target}.part-`)
  try {
    const description = await compileInto(workFolder, source, { fingerprint, native, lists }, report)
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
  {
    fingerprint,
    native,
    lists
  }: { readonly fingerprint: string; readonly native: NativeBuild; readonly lists: string },
  report: Report
): Promise<ModelDescription> {
  const model = await openSourceModel(source)
  const tokenizerJson: unknown = JSON.parse(await readFile(join(source, TOKENIZER_FILE), 'utf8'))
  const tokenizer = createTokenizer(tokenizerJson, { maxTokens: model.maxTokens })
  await copyFile(join(source, TOKENIZER_FILE), join(folder, TOKENIZER_FILE))

  await writeGraph(folder, model)
  const golden = await goldenOf(source, folder, tokenizer, lists)
  const sentences = golden.map(({ sentence }) => sentence)
  const fp32Embeddings = await embeddingsOf({ precision: 'fp32', folder }, tokenizer, sentences)
  const fp32Quality = measureQuality(
    golden.map(({ embedding }) => decodeVector(embedding)),
    fp32Embeddings
  )
  judge('fp32', fp32Quality, FP32_GATE, report)

  const int8 = await compileInt8({ folder, model, tokenizer, goldenSentences: sentences, native, lists }, report)
  const names = (await readdir(folder)).toSorted()
  const description: ModelDescription = {
    format: 2,
    name: basename(dirname(source)),
    fingerprint,
    dimensions: model.hiddenSize,
    maxTokens: model.maxTokens,
    files: Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await sha256OfFile(join(folder, name))]))
    ),
    fp32: { quality: rounded(fp32Quality) },
    ...(int8 === undefined ? {} : { int8 }),
    golden
  }
  await writeFile(join(folder, MODEL_DESCRIPTION_FILE), `${JSON.stringify(description, null, 2)}\n`)
  return description
}

/** The graph of fp32, its weights and the word embeddings. */
async function writeGraph(folder: string, model: SourceModel): Promise<void> {
  const files = { weights: new WeightsFile(weightsFile('fp32')), wordEmbeddings: new WeightsFile(WORD_EMBEDDINGS_FILE) }
  const graph = buildEncoderGraph(model, MAX_BATCH_SENTENCES, files)
  await writeFile(join(folder, GRAPH_FILE), graph.toBytes('sentence-encoder'))
  for (const file of Object.values(files)) await writeFile(join(folder, file.name), file.toBytes())
}

interface Int8Input {
  readonly folder: string
  readonly model: SourceModel
  readonly tokenizer: Tokenizer
  readonly goldenSentences: readonly string[]
  readonly native: NativeBuild
  readonly lists: string
}

/**
 * Calibrates on calibration.txt, writes the weights of int8 and judges them on validation.txt.
 * @returns undefined when there is no native encoder for it
 */
async function compileInt8(
  { folder, model, tokenizer, goldenSentences, native, lists }: Int8Input,
  report: Report
): Promise<ModelDescription['int8']> {
  if (!native.isThere) return undefined
  const problem = problemOfSizes(model)
  if (problem !== undefined) {
    report(`int8 is left out: ${problem}`)
    return undefined
  }
  const program = loadNativeProgram(native.programPath)
  const floatPath = join(folder, 'float.weights')
  await writeFile(floatPath, packFloatWeights(model))
  const floatEncoder = new FloatEncoder(program, floatPath, model)
  await rm(floatPath)

  const idsOf = (sentence: string): Int32Array => Int32Array.from(tokenizer.tokenize(sentence, 'end').ids)
  const calibration = await readLines(join(lists, 'calibration.txt'))
  for (const sentence of calibration) floatEncoder.encode(idsOf(sentence))
  const weights = packWeights(model, floatEncoder.inputMaxima())
  await writeFile(join(folder, weightsFile('int8')), weights)
  report(`calibrated on ${calibration.length} sentences`)

  const validation = await readLines(join(lists, 'validation.txt'))
  const references = validation.map((sentence) => floatEncoder.encode(idsOf(sentence)))
  const kernel = program.kernels()[0] ?? 'none'
  const source = { precision: 'int8', folder, programPath: native.programPath, kernel } as const
  const quality = measureQuality(references, await embeddingsOf(source, tokenizer, validation))
  judge('int8', quality, INT8_GATE, report)

  const hash = createHash('sha256')
  for (const embedding of await embeddingsOf(source, tokenizer, goldenSentences)) hash.update(embedding)
  return { quality: rounded(quality), goldenDigest: hash.digest('hex') }
}

/** SHA-256 over the source's files, the compilers' own and the size of a batch: when one changes, compile anew. */
async function fingerprintOf(source: string, native: NativeBuild, lists: string): Promise<string> {
  const hash = createHash('sha256').update(`batches of ${MAX_BATCH_SENTENCES}, int8: ${native.isThere}\n`)
  for (const name of SOURCE_FILES) hash.update(`${name} ${await sha256OfFile(join(source, name))}\n`)
  for (const folder of new Set([import.meta.dirname, NATIVE_SOURCES, lists])) {
    for (const name of (await readdir(folder)).toSorted()) {
      hash.update(`${name} ${await sha256OfFile(join(folder, name))}\n`)
    }
  }
  return hash.digest('hex')
}

/** Golden sentences with the reference implementation's vectors, or with the fp32 graph's for a model that has none. */
async function goldenOf(
  source: string,
  folder: string,
  tokenizer: Tokenizer,
  lists: string
): Promise<ModelDescription['golden']> {
  const golden = await readJson(join(lists, 'golden.json'), GoldenFile)
  if (golden.model === (await sha256OfFile(join(source, 'model.safetensors')))) return golden.sentences
  const sentences = golden.sentences.map(({ sentence }) => sentence)
  const embeddings = await embeddingsOf({ precision: 'fp32', folder }, tokenizer, sentences)
  return sentences.map((sentence, index) => ({
    sentence,
    embedding: encodeVector(embeddings[index] ?? new Float32Array())
  }))
}

function judge(precision: string, quality: Quality, gate: QualityGate, report: Report): void {
  const failures = gateFailures(quality, gate)
  if (failures.length > 0) throw new Error(`Cannot compile ${precision}: ${failures.join('; ')}`)
  report(
    `${precision}: cosine mean ${quality.meanCosine.toFixed(5)}, min ${quality.minCosine.toFixed(5)}, ` +
      `Spearman ${quality.spearman.toFixed(5)} on ${quality.sentences} sentences`
  )
}

/** Onnxruntime's last digits differ between CPUs; five are the same everywhere. */
function rounded({ sentences, meanCosine, minCosine, spearman }: Quality): Quality {
  return {
    sentences,
    meanCosine: Number(meanCosine.toFixed(5)),
    minCosine: Number(minCosine.toFixed(5)),
    spearman: Number(spearman.toFixed(5))
  }
}

async function embeddingsOf(
  source: SessionSource,
  tokenizer: Tokenizer,
  sentences: readonly string[]
): Promise<Float32Array[]> {
  const session = await openEncoderSession(source)
  const embeddings: Float32Array[] = []
  for (const sentence of sentences) {
    const { ids } = tokenizer.tokenize(sentence, 'end')
    embeddings.push(await session.encode({ ids: Int32Array.from(ids), lengths: [ids.length] }))
  }
  await session.close()
  return embeddings
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8')
  return text.split('\n').filter((line) => line !== '')
}
