/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { copyFile, link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Type } from 'typebox'
import { rowOf, type Embeddings } from '../../src/embedding/encoder.ts'
import { LocalEncoder, type LocalEncoderOptions } from '../../src/embedding/local-encoder.ts'
import {
  decodeVector,
  MAX_BATCH_SENTENCES,
  readModelDescription,
  sha256OfFile
} from '../../src/embedding/model-files.ts'
import { findNativeProgram, loadNativeProgram, NATIVE_FOLDER } from '../../src/embedding/native-program.ts'
import { runSelfTest } from '../../src/embedding/self-test.ts'
import { createTokenizer } from '../../src/embedding/tokenizer.ts'
import { buildEncoderGraph } from '../../tools/compile-model/encoder-graph.ts'
import { openSourceModel, readJson, type SourceModel } from '../../tools/compile-model/source-model.ts'
import { modelPath } from '../fixtures/model-path.ts'

const compiled = join(modelPath, 'compiled')
const References = Type.Object({
  sentences: Type.Array(Type.Object({ text: Type.String(), tokenCount: Type.Integer(), embedding: Type.String() }))
})
const references = await readReferences()

const defaults: LocalEncoderOptions = {
  folder: compiled,
  precision: 'int8',
  workerCount: 1,
  maxBatchTokens: 256,
  maxPendingTokens: 1_000_000,
  maxCallerShare: 1
}

async function start(t: TestContext, options: Partial<LocalEncoderOptions> = {}): Promise<LocalEncoder> {
  const encoder = new LocalEncoder({ ...defaults, ...options })
  t.after(async () => encoder.close())
  await encoder.start()
  return encoder
}

async function readReferences(): Promise<{ text: string; tokenCount: number; embedding: Float32Array }[]> {
  const { sentences } = await readJson(join(import.meta.dirname, '../fixtures/reference-embeddings.json'), References)
  return sentences.map((sentence) => ({ ...sentence, embedding: decodeVector(sentence.embedding) }))
}

function cosines(embeddings: Embeddings): number[] {
  return references.map(({ embedding }, index) =>
    rowOf(embeddings, index).reduce((sum, value, column) => sum + value * (embedding[column] ?? Number.NaN), 0)
  )
}

function bytesOf(embeddings: Embeddings, index: number): string {
  const row = rowOf(embeddings, index)
  return Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('hex')
}

/** A deterministic shuffle, so that a failure can be repeated. */
function shuffled<T>(values: readonly T[], seed: number): T[] {
  let state = seed
  const keyed = values.map((value) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return { value, key: state }
  })
  return keyed.toSorted((a, b) => a.key - b.key).map(({ value }) => value)
}

const texts = references.map(({ text }) => text)

test('fp32 embeddings are those of sentence-transformers: cosine at least 0.99999', async (t) => {
  const encoder = await start(t, { precision: 'fp32' })
  const embeddings = await encoder.encode(texts)
  assert.ok(references.length >= 220)
  assert.ok(Math.min(...cosines(embeddings)) >= 0.99999)
  assert.deepEqual(
    embeddings.isTruncated,
    references.map(({ tokenCount }) => tokenCount > 256)
  )
})

test('int8 embeddings are near those of sentence-transformers', async (t) => {
  const encoder = await start(t)
  assert.match(encoder.arithmetic, /^int8 by /)
  const found = cosines(await encoder.encode(texts))
  const mean = found.reduce((sum, cosine) => sum + cosine, 0) / found.length
  assert.ok(mean >= 0.9989, `mean cosine ${mean}`)
  assert.ok(Math.min(...found) >= 0.99, `least cosine ${Math.min(...found)}`)
})

test('int8 has the same bytes and the same revision by every kernel that this CPU can run', async (t) => {
  const programPath = (await findNativeProgram()) ?? assert.fail('no native encoder: run make download-models')
  const some = texts.filter((text) => text.length < 200).slice(0, 60) // The reference is slow.
  const first = await start(t)
  const wanted = await first.encode(some)
  for (const kernel of loadNativeProgram(programPath).kernels()) {
    const encoder = await start(t, { kernel })
    assert.equal(encoder.arithmetic, `int8 by ${kernel}`)
    assert.equal(encoder.revision, first.revision)
    assert.deepEqual((await encoder.encode(some)).values, wanted.values, kernel)
  }
  await assertRefused(compiled, /Cannot compute by mmx: this CPU can run .*reference/, { kernel: 'mmx' })
})

for (const [what, options] of [
  ['int8', {}],
  ['fp32', { precision: 'fp32' }]
] as const) {
  test(`${what}: a text has the same bytes alone, in any batch, in any order, on any number of workers`, async (t) => {
    const alone = new Map<string, string>()
    const single = await start(t, options)
    for (const text of texts) alone.set(text, bytesOf(await single.encode([text]), 0))
    const check = (batch: readonly string[], embeddings: Embeddings): void => {
      const different = batch.filter((text, index) => bytesOf(embeddings, index) !== alone.get(text))
      assert.deepEqual(different, [])
    }

    check(texts, await single.encode(texts))
    const several = await start(t, { ...options, workerCount: 3, maxBatchTokens: 1024 })
    for (let seed = 1; seed <= 4; seed++) {
      const order = shuffled(texts, seed)
      const batches = Array.from({ length: 16 }, (_, index) => order.slice(index * 17, (index + 1) * 17))
      const lanes = ['interactive', 'bulk'] as const
      const embeddings = await Promise.all(
        batches.map(async (batch, index) => several.encode(batch, { lane: lanes[index % 2] ?? 'bulk' }))
      )
      batches.forEach((batch, index) => check(batch, embeddings[index] ?? assert.fail('a batch is missing')))
    }
    assert.equal(several.revision, single.revision)
  })
}

test('rows have L2 norm 1', async (t) => {
  const encoder = await start(t)
  const { values, dimensions } = await encoder.encode(['one', 'two words', 'three words here'])
  for (let row = 0; row < 3; row++) {
    const norm = Math.hypot(...values.subarray(row * dimensions, (row + 1) * dimensions))
    assert.ok(Math.abs(norm - 1) < 1e-6, `norm ${norm}`)
  }
})

test('token ids give the embedding of their text, with or without special tokens', async (t) => {
  const encoder = await start(t)
  const { ids } = encoder.tokenizer.tokenize('Hello world', 'end')
  const ofText = await encoder.encode(['Hello world'])
  const ofIds = await encoder.encodeTokens([ids, ids.subarray(1, -1)])
  assert.deepEqual([bytesOf(ofIds, 0), bytesOf(ofIds, 1)], [bytesOf(ofText, 0), bytesOf(ofText, 0)])
  await assert.rejects(encoder.encodeTokens([Int32Array.of(30_522)]), { code: 'INVALID_REQUEST', message: /30522/ })
})

test('token ids are cut as a text is', async (t) => {
  const encoder = await start(t)
  const ids = Int32Array.from({ length: 300 }, (_, index) => 2000 + index)
  const kept = { end: ids.subarray(0, 254), start: ids.subarray(-254) }
  for (const truncate of ['end', 'start'] as const) {
    const cut = await encoder.encodeTokens([ids], { truncate })
    assert.deepEqual([cut.isTruncated, cut.tokenCounts], [[true], Int32Array.of(256)])
    assert.equal(bytesOf(cut, 0), bytesOf(await encoder.encodeTokens([kept[truncate]]), 0))
  }
  await assert.rejects(encoder.encodeTokens([ids], { truncate: 'none' }), { code: 'INVALID_REQUEST', message: /302/ })
})

test('a text that is too long is refused when it may not be cut, and its company with it', async (t) => {
  const encoder = await start(t)
  await assert.rejects(encoder.encode(['short', 'word '.repeat(300)], { truncate: 'none' }), {
    code: 'INVALID_REQUEST',
    message: /302 tokens, wanted at most 256/
  })
})

test('before it has started and after it was closed, a call is refused', async () => {
  const encoder = new LocalEncoder(defaults)
  assert.deepEqual(encoder.problems(), ['the model is being loaded'])
  await assert.rejects(encoder.encode(['a']), { code: 'UNAVAILABLE', message: /being loaded/ })
  await encoder.start()
  assert.deepEqual(encoder.problems(), [])
  const taken = encoder.encode(texts.slice(0, 20))
  const closing = encoder.close()
  await assert.rejects(encoder.encode(['a']), { code: 'UNAVAILABLE', message: /shutting down/ })
  await closing
  assert.equal((await taken).tokenCounts.length, 20)
})

/** A copy of the compiled model of which a file can be changed; checksums are made to fit unless told otherwise. */
async function tampered(t: TestContext, file: string, change: (path: string) => Promise<void>, keepChecksum = false) {
  const folder = await mkdtemp(join(tmpdir(), 'model-'))
  t.after(async () => rm(folder, { recursive: true }))
  for (const name of await readdir(compiled)) {
    await (name === file || name === 'model.json' ? copyFile : link)(join(compiled, name), join(folder, name)).catch(
      async () => copyFile(join(compiled, name), join(folder, name))
    )
  }
  await change(join(folder, file))
  if (!keepChecksum) {
    const description = await readModelDescription(folder)
    description.files[file] = await sha256OfFile(join(folder, file))
    await writeFile(join(folder, 'model.json'), JSON.stringify(description))
  }
  return folder
}

async function assertRefused(
  folder: string,
  problem: RegExp,
  options: Partial<LocalEncoderOptions> = { precision: 'fp32' }
): Promise<void> {
  const encoder = new LocalEncoder({ ...defaults, folder, ...options })
  try {
    await assert.rejects(encoder.start(), problem)
    assert.match(encoder.problems().join(), problem)
    await assert.rejects(encoder.encode(['a']), { code: 'UNAVAILABLE' })
  } finally {
    await encoder.close() // Should it have started after all, its threads would keep the test from ending.
  }
}

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path)
  const index = Math.floor(bytes.length / 2)
  bytes[index] = (bytes[index] ?? 0) ^ 1
  await writeFile(path, bytes)
}

test('a flipped bit in a weight keeps it from starting', async (t) => {
  await assertRefused(await tampered(t, 'fp32.weights', flipBit, true), /fp32\.weights has SHA-256/)
  await assertRefused(await tampered(t, 'word-embeddings.f16', flipBit, true), /word-embeddings\.f16 has SHA-256/)
})

test('int8 weights that were changed or cut keep it from starting', async (t) => {
  await assertRefused(await tampered(t, 'int8.weights', flipBit, true), /int8\.weights has SHA-256/, {})
  const cut = await tampered(t, 'int8.weights', async (path) =>
    writeFile(path, (await readFile(path)).subarray(0, 1_000_000))
  )
  await assertRefused(cut, /a file ends too early/, {})
})

test('a machine that makes other bytes of the golden sentences does not become ready', async (t) => {
  const folder = await tampered(t, 'int8.weights', async (path) => {
    const bytes = await readFile(path)
    bytes[1_000_000] = (bytes[1_000_000] ?? 0) ^ 1 // A position embedding: too little to be seen in a cosine.
    await writeFile(path, bytes)
  })
  await assertRefused(folder, /golden sentences have SHA-256 [0-9a-f]{64} here, wanted [0-9a-f]{64}/, {})
})

test('a native program that was changed is not run', async (t) => {
  const nativeFolder = await mkdtemp(join(tmpdir(), 'native-'))
  t.after(async () => rm(nativeFolder, { recursive: true }))
  await copyFile(join(NATIVE_FOLDER, 'encoder.json'), join(nativeFolder, 'encoder.json'))
  await assertRefused(compiled, /encoder\.node has SHA-256/, { nativeFolder })
  await writeFile(join(nativeFolder, 'encoder.node'), 'no program')
  await assertRefused(compiled, /encoder\.node has SHA-256/, { nativeFolder })
})

for (const [what, reason, options] of [
  [
    'without a native encoder',
    'there is no native encoder for this machine',
    async () => ({ nativeFolder: '/nowhere' })
  ],
  [
    'with a model that was compiled where there was none',
    'the model was compiled without it',
    async (t: TestContext) => {
      const folder = await tampered(t, 'model.json', async () => undefined, true)
      const { int8: _, ...description } = await readModelDescription(folder)
      await writeFile(join(folder, 'model.json'), JSON.stringify(description))
      return { folder }
    }
  ]
] as const) {
  test(`${what}, fp32 is computed, and that is told once`, async (t) => {
    const reasons: string[] = []
    const encoder = await start(t, { ...(await options(t)), onInt8Missing: (told) => reasons.push(told) })
    assert.equal(encoder.arithmetic, 'fp32 by onnxruntime')
    assert.match(encoder.revision, /-fp32-/)
    assert.ok(Math.min(...cosines(await encoder.encode(texts))) >= 0.99999)
    assert.deepEqual(reasons, [reason])
  })
}

/** A compiled model whose fp32 graph was built of a source model that differs. */
async function withGraphOf(t: TestContext, change: (model: SourceModel) => SourceModel): Promise<string> {
  const model = change(await openSourceModel(join(modelPath, 'source')))
  const graph = buildEncoderGraph(model, MAX_BATCH_SENTENCES)
  return tampered(t, 'fp32.onnx', async (path) => writeFile(path, graph.toBytes()))
}

test('a graph with another pooling keeps it from starting, though its checksum fits', async (t) => {
  await assertRefused(await withGraphOf(t, (model) => ({ ...model, pooling: 'cls' })), /golden sentence \d+ has cosine/)
})

test('a sentence with other bytes in company keeps it from starting', async () => {
  const description = await readModelDescription(compiled)
  const json: unknown = JSON.parse(await readFile(join(compiled, 'tokenizer.json'), 'utf8'))
  const tokenizer = createTokenizer(json, { maxTokens: description.maxTokens })
  const known = new Map(
    description.golden.map(({ sentence, embedding }) => [
      tokenizer.tokenize(sentence, 'end').ids.join(),
      decodeVector(embedding)
    ])
  )
  const runSelfTestWith = async (nudge: number): Promise<string> =>
    runSelfTest(description, 'fp32', tokenizer, MAX_BATCH_SENTENCES, async ({ ids, lengths }) => {
      let end = 0
      const rows = lengths.map((length) => known.get(ids.slice(end, (end += length)).join()) ?? assert.fail())
      const values = Float32Array.from(rows.flatMap((row) => [...row]))
      if (lengths.length > 1) values[values.length - 1] = (values.at(-1) ?? 0) + nudge
      return { values }
    })
  assert.match(await runSelfTestWith(0), /^[0-9a-f]{64}$/)
  await assert.rejects(runSelfTestWith(1e-6), /in a batch of \d, sentences have other bytes than alone/)
})

test('a tokenizer with another vocabulary order keeps it from starting, though its checksum fits', async (t) => {
  const folder = await tampered(t, 'tokenizer.json', async (path) => {
    const json = await readFile(path, 'utf8')
    await writeFile(path, json.replace('"the":1996', '"the":1997').replace('"of":1997', '"of":1996'))
  })
  await assertRefused(folder, /golden sentence \d+ has cosine/)
})

test('a folder without a model says how to get one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'model-'))
  t.after(async () => rm(folder, { recursive: true }))
  await assertRefused(folder, /run "make download-models"/)
})

test('an encoder whose worker gives nonsense does not start', async () => {
  const workerUrl = new URL('crashing-worker.ts', import.meta.url)
  const encoder = new LocalEncoder({ ...defaults, workerUrl })
  await assert.rejects(encoder.start(), /self-test failed/)
})
