/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
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
    test: labelsOf(test)
  }
  await writeFile(join(folder, 'labels.json'), JSON.stringify(labels))
}

async function readRows(path: string) {
  return Value.Parse(Rows, parse(await readFile(path), { columns: true, bom: true }))
}
