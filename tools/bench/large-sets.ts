/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: on sets of more than 9,000 training samples the head is nowhere less accurate than plain logistic regression
 * on the same embeddings, with C searched for in the same range.
 *
 *     BENCH_DATA=FOLDER npm run bench -- large-sets
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { sanitize } from '../../src/mentor/sanitize.ts'
import { readDataSets, readMoreSet, type LabelledText } from '../learn-topic-prior/data-sets.ts'
import { Embeddings, measureMentor, sample, seededRandom } from '../learn-topic-prior/mentors.ts'
import { openEncoder } from './engine/open-encoder.ts'
import { dataFolder } from './measure/data-folder.ts'
import { installScikitLearn, SCIKIT_LEARN_FOLDER } from './peers/install.ts'
import { LineProcess } from './peers/line-process.ts'
import type { LargeSetsResult } from './report/large-sets.ts'

const SPLITS = 3
const TEST_SHARE = 0.25
const CACHE = join(import.meta.dirname, '../../.cache/bench/large-sets')

const PeerAnswer = Type.Object({ right: Type.Array(Type.Boolean()), c: Type.Number(), cpuMs: Type.Number() })

await installScikitLearn()
await mkdir(CACHE, { recursive: true })
await using peer = new LineProcess(
  join(SCIKIT_LEARN_FOLDER, 'bin/python'),
  [join(import.meta.dirname, 'peers/plain_regression.py')],
  { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' }
)
const encoder = await openEncoder('int8')
const embeddings = new Embeddings(encoder)
await using engine = await TensorEngine.create()

const result: LargeSetsResult = { splits: [] }
for (const [name, rows] of Object.entries(await readPools())) {
  for (let seed = 1; seed <= SPLITS; seed++) result.splits.push(await measure(name, rows, seed))
}
await encoder.close()
process.stdout.write(`${JSON.stringify(result)}\n`)

/** Rows of each large set, training and test joined; a text occurs once. */
async function readPools(): Promise<Record<string, readonly LabelledText[]>> {
  const { sets } = await readDataSets(dirname(dataFolder('hint3')))
  const whole = sets.filter(({ name }) => !name.endsWith('subset'))
  const rowsOf = ({ name, train, test }: (typeof sets)[number]): LabelledText[] =>
    [...train, ...test].flatMap(({ text, label }) => (label === undefined ? [] : [{ text, label: `${name} ${label}` }]))
  const voice = await Promise.all(
    ['kwik-e-mart', 'assistant', 'skills', 'home'].map(async (name) => {
      const rows = await readMoreSet(dataFolder('more-400'), name)
      return rows.map(({ text, label }) => ({ text, label: `${name} ${label}` }))
    })
  )
  return {
    Banking77: once(whole.filter(({ name }) => name === 'banking77').flatMap(rowsOf)),
    'all data sets in one': once(whole.flatMap(rowsOf)),
    'voice assistants, 400 phrases an intent at most': once(voice.flat())
  }
}

function once(rows: readonly LabelledText[]): LabelledText[] {
  return [...new Map(rows.toReversed().map((row) => [sanitize(row.text), row])).values()].toReversed()
}

async function measure(
  name: string,
  rows: readonly LabelledText[],
  seed: number
): Promise<LargeSetsResult['splits'][number]> {
  const shuffled = sample([...rows.keys()], rows.length, seededRandom(seed)).map((i) => rows[i]!)
  const testCount = Math.floor(TEST_SHARE * rows.length)
  const [test, train] = [shuffled.slice(0, testCount), shuffled.slice(testCount)]
  const [trainSet, asked] = [
    await embeddings.encode(train.map(({ text }) => sanitize(text))),
    await embeddings.encode(test.map(({ text }) => text))
  ]
  const before = process.cpuUsage()
  const measured = await measureMentor(engine, embeddings, { group: name, name, train, test })
  const { user, system } = process.cpuUsage(before)
  const [trainPath, testPath] = [join(CACHE, 'train.f32'), join(CACHE, 'test.f32')]
  await writeFile(trainPath, trainSet.features.values)
  await writeFile(testPath, asked.features.values)
  const labels = [...new Set(rows.map(({ label }) => label))]
  const numbersOf = (some: readonly LabelledText[]) => some.map(({ label }) => labels.indexOf(label))
  const { right, c, cpuMs } = Value.Parse(
    PeerAnswer,
    await peer.ask({
      train: trainPath,
      test: testPath,
      dimensions: encoder.dimensions,
      trainLabels: numbersOf(train),
      testLabels: numbersOf(test)
    })
  )
  const ours = measured.questions.map(({ isRight }) => isRight)
  const count = (of: (isOurs: boolean, isTheirs: boolean) => boolean) =>
    ours.filter((isOurs, i) => of(isOurs, right[i]!)).length
  const split = {
    name,
    classCount: labels.length,
    trainCount: train.length,
    testCount,
    bothRight: count((isOurs, isTheirs) => isOurs && isTheirs),
    oursAloneRight: count((isOurs, isTheirs) => isOurs && !isTheirs),
    peerAloneRight: count((isOurs, isTheirs) => !isOurs && isTheirs),
    peerC: c,
    oursCpuMs: (user + system) / 1000,
    peerCpuMs: cpuMs
  }
  process.stderr.write(`bench: ${JSON.stringify(split)}\n`)
  return split
}
