/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Measures what the review queue gains: accuracy on Banking77 after k judgements that it chose, against k random ones.
 *
 * A mentor is trained on a few phrases of each intent; other training questions are what users ask. A judgement names one
 * question's right answer, as a person would who opens the queue; with `clusters` it also takes those questions of the cluster
 * that belong to the same answer, which the same person sees and ticks. After each round all are trained on.
 * Run: npm exec -- node tools/bench/review.ts [folder that tools/bench/classifier.ts describes]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { ClassifierModel, packSoftmaxModel } from '../../src/learning/classifier-model.ts'
import { TensorEngine, type FloatMatrix } from '../../src/learning/tensor-engine.ts'
import { trainSoftmax } from '../../src/learning/train-softmax.ts'
import { clusterQuestions, type ReviewQuestion } from '../../src/review/review-clusters.ts'
import { embedBanking77 } from './engine/banking77.ts'
import { openEncoder } from './engine/open-encoder.ts'
import { dataFolder } from './measure/data-folder.ts'

const Labels = Type.Object({
  dimensions: Type.Integer(),
  classCount: Type.Integer(),
  train: Type.Array(Type.Integer()),
  test: Type.Array(Type.Integer())
})

const STRATEGIES = ['random', 'queue', 'clusters'] as const
type Strategy = (typeof STRATEGIES)[number]

const PHRASES_AT_FIRST = 4
const ASKED_QUESTIONS = 2000
const JUDGEMENTS_A_ROUND = 50
const ROUNDS = 4
const DRAWS = 3

const ROOT = join(import.meta.dirname, '../..')
const folder = process.argv[2] ?? (await embedWithOurs())
const labels = Value.Parse(Labels, JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')))
const train = readFloats('train.f32')
const test = readFloats('test-as-asked.f32')
const engine = await TensorEngine.create()

const results = new Map<string, { accuracy: number; learned: number }[]>()
for (let draw = 0; draw < DRAWS; draw++) {
  for (const strategy of STRATEGIES) await measure(strategy, draw)
}
process.stdout.write(
  '| judgements | chosen by | phrases learned | accuracy, mean | least | most |\n|---|---|---|---|---|---|\n'
)
for (const key of keysInOrder()) {
  const of = results.get(key)!
  const accuracies = of.map(({ accuracy }) => accuracy)
  const learned = Math.round(mean(of.map((one) => one.learned)))
  const figures = [mean(accuracies), Math.min(...accuracies), Math.max(...accuracies)].map((value) => value.toFixed(3))
  process.stdout.write(`| ${key} | ${learned} | ${figures.join(' | ')} |\n`)
}
await engine[Symbol.asyncDispose]()

/** By judgements, then strategy. */
function keysInOrder(): string[] {
  const counts = Array.from({ length: ROUNDS + 1 }, (_, round) => round * JUDGEMENTS_A_ROUND)
  return counts.flatMap((count) => STRATEGIES.map((strategy) => `${count} | ${strategy}`))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

async function measure(strategy: Strategy, draw: number): Promise<void> {
  const random = generator(draw + 1)
  const order = shuffled([...train.keys], random)
  const known: number[] = []
  const counts = new Map<number, number>()
  for (const row of order) {
    const count = counts.get(labels.train[row]!) ?? 0
    if (count === PHRASES_AT_FIRST) continue
    counts.set(labels.train[row]!, count + 1)
    known.push(row)
  }
  const atFirst = new Set(known)
  let asked = order.filter((row) => !atFirst.has(row)).slice(0, ASKED_QUESTIONS)
  for (let round = 0; round <= ROUNDS; round++) {
    const model = await fit(known)
    const key = `${round * JUDGEMENTS_A_ROUND} | ${strategy}`
    const seen = results.get(key) ?? []
    seen.push({ accuracy: accuracyOf(model), learned: known.length - atFirst.size })
    results.set(key, seen)
    const learned = await choose(strategy, model, asked, random)
    known.push(...learned)
    const gone = new Set(learned)
    asked = asked.filter((row) => !gone.has(row))
  }
}

/** Questions whose answers a round's judgements name. */
async function choose(
  strategy: Strategy,
  model: ClassifierModel,
  asked: readonly number[],
  random: () => number
): Promise<number[]> {
  if (strategy === 'random') return shuffled(asked, random).slice(0, JUDGEMENTS_A_ROUND)
  const questions = asked.map((row): ReviewQuestion => {
    const { isOffTopic, ranked } = model.predict(rowAt(train.features, row), 2)
    const margin = ranked[0]!.confidence - (ranked[1]?.confidence ?? 0)
    const answerType = isOffTopic ? 'OFF_TOPIC' : 'CLASSIFIER'
    const last = { question: '', answerType, confidence: ranked[0]!.confidence, margin, askedAtMs: 0 } as const
    return { question: '', count: 1, last }
  })
  const embeddings = { values: take(asked).values, dimensions: labels.dimensions }
  const clusters = await clusterQuestions(questions, embeddings, JUDGEMENTS_A_ROUND)
  return clusters.flatMap(({ members }) => {
    const rows = members.map((index) => asked[index]!)
    const answer = labels.train[rows[0]!]
    return strategy === 'queue' ? rows.slice(0, 1) : rows.filter((row) => labels.train[row] === answer)
  })
}

async function fit(rows: readonly number[]): Promise<ClassifierModel> {
  const features = take(rows)
  const ofRows = Int32Array.from(rows, (row) => labels.train[row]!)
  const trained = await trainSoftmax(engine, { features, labels: ofRows, classCount: labels.classCount })
  const classIds = Array.from({ length: labels.classCount }, (_, k) => String(k))
  return ClassifierModel.load(
    packSoftmaxModel(
      trained,
      { features, labels: ofRows, classCount: labels.classCount },
      { classIds, encoderRevision: 'bench' }
    )
  )
}

function accuracyOf(model: ClassifierModel): number {
  const right = labels.test.filter((label, row) => model.predict(rowAt(test.features, row)).classId === String(label))
  return right.length / labels.test.length
}

async function embedWithOurs(): Promise<string> {
  const out = join(ROOT, '.cache/bench/banking77-int8')
  const encoder = await openEncoder('int8')
  await embedBanking77(encoder, dataFolder('banking77'), out)
  await encoder.close()
  return out
}

function readFloats(name: string): { readonly features: FloatMatrix; readonly keys: Iterable<number> } {
  const values = new Float32Array(new Uint8Array(readFileSync(join(folder, name))).buffer)
  const rows = values.length / labels.dimensions
  return { features: { values, rows, columns: labels.dimensions }, keys: Array.from({ length: rows }, (_, row) => row) }
}

function take(rows: readonly number[]): FloatMatrix & { readonly values: Float32Array } {
  const values = new Float32Array(rows.length * labels.dimensions)
  for (const [i, row] of rows.entries()) values.set(rowAt(train.features, row), i * labels.dimensions)
  return { values, rows: rows.length, columns: labels.dimensions }
}

function rowAt({ values, columns }: FloatMatrix, row: number): Float32Array {
  return values.subarray(row * columns, (row + 1) * columns)
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const all = [...values]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
