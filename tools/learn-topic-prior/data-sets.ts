/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { HOW_TO_GET_DATA } from '../bench/measure/data-folder.ts'

/** A phrase or question with its right answer; undefined when no answer fits. */
export interface LabelledText {
  readonly text: string
  readonly label: string | undefined
}

/** Phrases to train from, and questions to ask. */
export interface DataSet {
  /** Sets of one group share questions, so a prior learned on one must not be tested on another. */
  readonly group: string
  readonly name: string
  readonly train: readonly LabelledText[]
  readonly test: readonly LabelledText[]
}

/** Data sets, and small talk that belongs to none of them. */
export interface DataSets {
  readonly sets: readonly DataSet[]
  readonly smallTalk: readonly string[]
}

/** What fetch-more.py makes, by group. */
const MORE_SETS = { 'kwik-e-mart': 'kwik-e-mart', assistant: 'voice', skills: 'voice', home: 'voice' } as const

const HINT3_OUT_OF_SCOPE = 'NO_NODES_DETECTED'
const Rows = Type.Array(Type.Record(Type.String(), Type.String()))

/**
 * Reads the data sets.
 * @throws Error that says where to get what is missing
 */
export async function readDataSets(folder: string): Promise<DataSets> {
  const read = async (path: string, textColumn: string, labelColumn: string) =>
    readRows(folder, path, textColumn, labelColumn)
  const sets: DataSet[] = []
  for (const bot of ['curekart', 'sofmattress']) {
    const test = await read(`hint3/${bot}_test.csv`, 'sentence', 'label')
    for (const size of ['', '_subset']) {
      const train = await read(`hint3/${bot}${size}_train.csv`, 'sentence', 'label')
      sets.push({ group: bot, name: `${bot}${size.replace('_', ' ')}`, train, test })
    }
  }
  const banking = { train: await read('banking77/train.csv', 'text', 'category') }
  sets.push({
    group: 'banking77',
    name: 'banking77',
    ...banking,
    test: await read('banking77/test.csv', 'text', 'category')
  })
  for (const [name, group] of Object.entries(MORE_SETS)) {
    const rows = await read(`more/${name}.csv`, 'text', 'label')
    sets.push({ group, name, ...(group === 'voice' ? halvesOfLabels(rows) : everySecond(rows)) })
  }
  const smallTalk = (await read('more/small-talk.csv', 'text', 'label')).map(({ text }) => text)
  return { sets, smallTalk }
}

function everySecond(rows: readonly LabelledText[]): Pick<DataSet, 'train' | 'test'> {
  return { train: rows.filter((_, i) => i % 2 === 0), test: rows.filter((_, i) => i % 2 === 1) }
}

/**
 * Splits the rows of each label into halves. Neighbouring phrases often share a template, so test questions must not be
 * neighbours of training phrases.
 */
function halvesOfLabels(rows: readonly LabelledText[]): Pick<DataSet, 'train' | 'test'> {
  const byLabel = Object.values(Object.groupBy(rows, ({ label }) => label ?? '')).map((some) => some ?? [])
  const half = (some: readonly LabelledText[]) => Math.ceil(some.length / 2)
  return {
    train: byLabel.flatMap((some) => some.slice(0, half(some))),
    test: byLabel.flatMap((some) => some.slice(half(some)))
  }
}

/**
 * Reads a set that fetch-more.py made.
 * @param folder of the sets that it makes
 * @throws Error that says where to get what is missing
 */
export async function readMoreSet(folder: string, name: string): Promise<LabelledText[]> {
  return readRows(folder, `${name}.csv`, 'text', 'label')
}

async function readRows(
  folder: string,
  path: string,
  textColumn: string,
  labelColumn: string
): Promise<LabelledText[]> {
  const bytes = await readFile(join(folder, path)).catch((error: unknown) => {
    throw new Error(`Cannot read ${path} in ${folder}: ${HOW_TO_GET_DATA}`, { cause: error })
  })
  return Value.Parse(Rows, parse(bytes, { columns: true, bom: true })).flatMap((row) => {
    const text = (row[textColumn] ?? '').trim()
    const label = row[labelColumn]
    return text === '' ? [] : [{ text, label: label === HINT3_OUT_OF_SCOPE ? undefined : label }]
  })
}
