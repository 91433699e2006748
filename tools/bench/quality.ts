/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: fp32 is the reference to the last digits that matter, and int8 is near enough to it that answers do not change.
 *
 *     npm run bench -- quality
 *     npm exec -- node tools/bench/quality.ts --banking77 <folder with test.csv>
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rowOf } from '../../src/embedding/encoder.ts'
import type { LocalEncoder } from '../../src/embedding/local-encoder.ts'
import { decodeVector } from '../../src/embedding/model-files.ts'
import { measureQuality } from '../compile-model/quality.ts'
import { dataFolder } from './measure/data-folder.ts'
import { sameNeighbourShare } from './engine/nearest.ts'
import { openEncoder } from './engine/open-encoder.ts'
import type { QualityResult } from './report/quality.ts'

const ROOT = join(import.meta.dirname, '../..')
const QUESTION_COUNT = 1500
const CALL_SIZE = 100

const banking77Folder = dataFolder('banking77')

/** The file as tools/fixtures/reference-embeddings.py writes it. */
interface ReferenceFile {
  readonly about: { readonly versions: Readonly<Record<string, string>> }
  readonly sentences: readonly { readonly text: string; readonly embedding: string }[]
}

const fixture: ReferenceFile = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/reference-embeddings.json'), 'utf8'))
const sentences = fixture.sentences.map(({ text }) => text)
const references = fixture.sentences.map(({ embedding }) => decodeVector(embedding))
const questions = readQuestions(join(banking77Folder, 'test.csv'))

const fp32 = await embed('fp32')
const int8 = await embed('int8')
const graphs: QualityResult['graphs'] = [
  { graph: 'fp32', toReference: measureQuality(references, fp32.sentences) },
  {
    graph: 'int8',
    toReference: measureQuality(references, int8.sentences),
    toFp32: measureQuality(fp32.sentences, int8.sentences),
    ...(questions.length === 0
      ? {}
      : {
          questions: {
            toFp32: measureQuality(fp32.questions, int8.questions),
            sameNeighbourShare: sameNeighbourShare(fp32.questions, int8.questions)
          }
        })
  }
]
const { versions } = fixture.about
const result: QualityResult = {
  referenceMaker: `sentence-transformers ${versions['sentence-transformers']} (PyTorch ${versions['torch']}, float32)`,
  graphs
}
process.stdout.write(`${JSON.stringify(result)}\n`)

async function embed(
  precision: Parameters<typeof openEncoder>[0]
): Promise<{ readonly sentences: Float32Array[]; readonly questions: Float32Array[] }> {
  const encoder = await openEncoder(precision)
  const found = { sentences: await encodeAll(encoder, sentences), questions: await encodeAll(encoder, questions) }
  await encoder.close()
  return found
}

async function encodeAll(encoder: LocalEncoder, texts: readonly string[]): Promise<Float32Array[]> {
  const rows: Float32Array[] = []
  for (let begin = 0; begin < texts.length; begin += CALL_SIZE) {
    const call = texts.slice(begin, begin + CALL_SIZE)
    const embeddings = await encoder.encode(call)
    rows.push(...call.map((_text, index) => rowOf(embeddings, index)))
  }
  return rows
}

/** Questions of Banking77 (columns text, category; a text with a comma is in quotation marks), evenly from all of it. */
function readQuestions(path: string): string[] {
  if (!existsSync(path)) return []
  const rows = readFileSync(path, 'utf8').matchAll(/^(?:"((?:[^"]|"")*)"|([^",\n]*)),(\w+[^\n]*)$/gm)
  const texts = [...rows].slice(1).map(([, quoted, plain]) => (quoted?.replaceAll('""', '"') ?? plain ?? '').trim())
  const stride = texts.length / QUESTION_COUNT
  return Array.from({ length: QUESTION_COUNT }, (_, index) => texts[Math.floor(index * stride)] ?? '')
}
