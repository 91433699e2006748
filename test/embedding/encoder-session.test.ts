/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEncoderSession, type EncoderSession } from '../../src/embedding/encoder-session.ts'
import { weightsFile, WORD_EMBEDDINGS_FILE } from '../../src/embedding/model-files.ts'
import { findNativeProgram, loadNativeProgram } from '../../src/embedding/native-program.ts'
import { modelPath } from '../fixtures/model-path.ts'

const compiled = join(modelPath, 'compiled')
const FIRST_WORD = 2000
const VOCABULARY = 30_522
const MAX_TOKENS = 256

const programPath = (await findNativeProgram()) ?? assert.fail('no native encoder: run make download-models')
const int8 = { precision: 'int8', folder: compiled, programPath } as const
const kernels = loadNativeProgram(programPath).kernels()
const native = await openEncoderSession({ ...int8, kernel: kernels[0] ?? '' })

test('native: a sentence of any length has the same bytes alone and in company, wherever its rows come to lie', async () => {
  const lengths = [...Array.from({ length: 50 }, (_, index) => index + 1), 63, 64, 65, 127, 128, 129, 254, 255, 256]
  const sentences = lengths.map((length, index) => sentence(length, index))
  const alone = await Promise.all(sentences.map(async (ids) => encode(native, [ids])))
  for (const [index, ids] of sentences.entries()) {
    // As many kinds of company as there are places in a tile of six rows.
    for (const [before, after] of [[1], [2, 3], [4, 1], [5, 17], [7, 2]].map(([first = 1, last = 1]) => [
      first,
      last
    ])) {
      const company = [sentence(before ?? 1, 1000 + index), ids, sentence(after ?? 1, 2000 + index)]
      assert.deepEqual((await encode(native, company))[1], alone[index]?.[0], `${ids.length} tokens after ${before}`)
    }
  }
})

test('native: embeddings are those of onnxruntime in fp32 but for what rounding does', async () => {
  const onnx = await openEncoderSession({ precision: 'fp32', folder: compiled })
  for (const length of [1, 2, 5, 14, 33, 100, 256]) {
    const ids = sentence(length, length)
    const [[own = []], [other = []]] = [await encode(native, [ids]), await encode(onnx, [ids])]
    const cosine = own.reduce((sum, value, column) => sum + value * (other[column] ?? Number.NaN), 0)
    assert.ok(cosine > 0.995, `${length} tokens: cosine ${cosine}`)
  }
  await onnx.close()
})

test('native: what does not fit is refused', async () => {
  const batch = (ids: readonly number[], lengths: readonly number[]) =>
    native.encode({ ids: Int32Array.from(ids), lengths })
  await assert.rejects(batch([101, VOCABULARY], [2]), /an id is not in the vocabulary/)
  await assert.rejects(batch([101, -1], [2]), /an id is not in the vocabulary/)
  await assert.rejects(batch([101, 102], [3]), /do not add up/)
  await assert.rejects(batch([101, 102], [2, 0]), /empty, or longer/)
  await assert.rejects(
    native.encode({ ids: sentence(MAX_TOKENS + 1, 1), lengths: [MAX_TOKENS + 1] }),
    /empty, or longer/
  )
  assert.equal((await batch([101, 102], [2])).length, 384)
})

test('native: a kernel that this CPU has not, or that there is not, is refused', async () => {
  await assert.rejects(openEncoderSession({ ...int8, kernel: 'mmx' }), /no such kernels for this CPU/)
})

test('native: files of something else are refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'native-'))
  t.after(async () => rm(folder, { recursive: true }))
  const open = async (): Promise<EncoderSession> => openEncoderSession({ ...int8, folder, kernel: 'reference' })
  const weights = join(folder, weightsFile('int8'))
  await assert.rejects(open(), /file of weights cannot be read/)
  const bytes = await readFile(join(compiled, weightsFile('int8')))
  await writeFile(weights, 'not weights, but more than the sixty-four bytes of which a header is made')
  await assert.rejects(open(), /of another format/)
  await writeFile(weights, bytes)
  await assert.rejects(open(), /file of word embeddings cannot be read/)
  await copyFile(join(compiled, WORD_EMBEDDINGS_FILE), join(folder, WORD_EMBEDDINGS_FILE))
  await writeFile(weights, bytes.subarray(0, -64))
  await assert.rejects(open(), /a file ends too early/)
  await writeFile(weights, bytes)
  await writeFile(join(folder, WORD_EMBEDDINGS_FILE), bytes)
  await assert.rejects(open(), /a file ends too early/)
})

/** Some words, other ones for another seed. */
function sentence(length: number, seed: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length }, (_, index) => FIRST_WORD + ((index * 7919 + seed * 104_729) % 20_000))
}

async function encode(session: EncoderSession, sentences: readonly Int32Array[]): Promise<number[][]> {
  const values = await session.encode({
    ids: Int32Array.from(sentences.flatMap((ids) => [...ids])),
    lengths: sentences.map(({ length }) => length)
  })
  const dimensions = values.length / sentences.length
  return sentences.map((_, row) => [...values.subarray(row * dimensions, (row + 1) * dimensions)])
}
