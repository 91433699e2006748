/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { gramsOf, type Grams } from '../../../src/learning/character-grams.ts'
import type { ClassifierModel } from '../../../src/learning/classifier-model.ts'
import type { JudgedQuestion } from '../../../src/learning/evaluation.ts'
import type { FloatMatrix } from '../../../src/learning/tensor-engine.ts'
import type { Encoder } from '../../../src/embedding/encoder.ts'
import { sanitize } from '../../../src/mentor/sanitize.ts'

const Rows = Type.Array(Type.Object({ text: Type.String(), category: Type.String() }))

/**
 * Embeds Banking77 as tools/bench/classifier.py does, with an encoder of ours: training texts sanitized, as a mentor's are,
 * test texts sanitized and as asked.
 * @param dataFolder with train.csv and test.csv
 * @param folder receives labels.json and the embeddings as little-endian float32
 */
export async function embedBanking77(encoder: Encoder, dataFolder: string, folder: string): Promise<void> {
  const [train, test] = await Promise.all(
    ['train.csv', 'test.csv'].map(async (name) => readRows(join(dataFolder, name)))
  )
  if (train === undefined || test === undefined) throw new Error(`Cannot read Banking77 in ${dataFolder}`)
  const categories = [...new Set(train.map(({ category }) => category))].toSorted((a, b) => (a < b ? -1 : 1))
  const labelsOf = (rows: typeof train): number[] => rows.map(({ category }) => categories.indexOf(category))
  await mkdir(folder, { recursive: true })
  const write = async (name: string, texts: readonly string[]): Promise<void> => {
    const { values } = await encoder.encode(texts, { lane: 'bulk' })
    await writeFile(join(folder, name), values)
  }
  const asAsked = test.map(({ text }) => text)
  await write(
    'train.f32',
    train.map(({ text }) => sanitize(text))
  )
  await write('test-sanitized.f32', asAsked.map(sanitize))
  await write('test-as-asked.f32', asAsked)
  const labels = {
    dimensions: encoder.dimensions,
    classCount: categories.length,
    train: labelsOf(train),
    test: labelsOf(test),
    trainTexts: train.map(({ text }) => sanitize(text)),
    testTexts: asAsked.map(sanitize)
  }
  await writeFile(join(folder, 'labels.json'), JSON.stringify(labels))
}

const Labels = Type.Object({
  dimensions: Type.Integer(),
  classCount: Type.Integer(),
  train: Type.Array(Type.Integer()),
  test: Type.Array(Type.Integer()),
  trainTexts: Type.Optional(Type.Array(Type.String())),
  testTexts: Type.Optional(Type.Array(Type.String()))
})

/** Banking77, embedded. */
export interface EmbeddedBanking77 {
  readonly classCount: number
  /** Texts sanitized. */
  readonly train: { readonly features: FloatMatrix; readonly labels: Int32Array; readonly grams?: readonly Grams[] }
  readonly testSanitized: FloatMatrix
  readonly testAsAsked: FloatMatrix
  readonly testLabels: readonly number[]
  /** Sanitized; none where another program embedded them. */
  readonly testTexts?: readonly string[]
}

/** Reads what {@link embedBanking77} or tools/bench/classifier.py has written. */
export function readBanking77(folder: string): EmbeddedBanking77 {
  const labels = Value.Parse(Labels, JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')))
  const read = (name: string): FloatMatrix => {
    const values = new Float32Array(new Uint8Array(readFileSync(join(folder, name))).buffer)
    return { values, rows: values.length / labels.dimensions, columns: labels.dimensions }
  }
  return {
    classCount: labels.classCount,
    train: {
      features: read('train.f32'),
      labels: Int32Array.from(labels.train),
      ...(labels.trainTexts !== undefined && { grams: labels.trainTexts.map(gramsOf) })
    },
    testSanitized: read('test-sanitized.f32'),
    testAsAsked: read('test-as-asked.f32'),
    testLabels: labels.test,
    ...(labels.testTexts !== undefined && { testTexts: labels.testTexts })
  }
}

/** What packed models of the bench say of themselves. */
export function originOf(classCount: number) {
  return { classIds: Array.from({ length: classCount }, (_, k) => String(k)), encoderRevision: 'bench' }
}

/** Judges embedded questions by a model whose classes are named by their numbers. */
export function judge(
  model: ClassifierModel,
  of: FloatMatrix,
  wanted: readonly (number | undefined)[],
  texts?: readonly string[]
): JudgedQuestion[] {
  return wanted.map((label, i) => {
    const embedding = of.values.subarray(i * of.columns, (i + 1) * of.columns)
    const { ranked, topicScore, isOffTopic } = model.predict(embedding, 5, { text: texts?.[i] })
    return {
      question: i,
      label,
      ranked: ranked.map(({ classId, confidence }) => ({ class: Number(classId), confidence })),
      topicScore,
      isOffTopic
    }
  })
}

/** Rows of train.csv or test.csv. */
export async function readRows(path: string) {
  return Value.Parse(Rows, parse(await readFile(path), { columns: true, bom: true }))
}
