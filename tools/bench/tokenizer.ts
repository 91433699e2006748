/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: our tokenizer keeps up with any encoder on one thread, where the native library would not.
 * Prints sentences a second of both, on the same sentences in turns, after checking that the ids are the same.
 *
 *     npm exec -- node tools/bench/tokenizer.ts
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { Tokenizer as RustTokenizer } from 'tokenizers'
import { createTokenizer } from '../../src/embedding/tokenizer.ts'

const ROUNDS = 5
const BATCH_SIZE = 32
const MAX_TOKENS = 256

const repository = join(import.meta.dirname, '..', '..')
const tokenizerPath = join(repository, 'models', 'all-MiniLM-L6-v2', 'source', 'tokenizer.json')
const tokenizerJson: object = JSON.parse(readFileSync(tokenizerPath, 'utf8'))
const sentences = ['calibration.txt', 'validation.txt'].flatMap((name) =>
  readFileSync(join(repository, 'tools', 'compile-model', name), 'utf8')
    .trimEnd()
    .split('\n')
)
const batches = Array.from({ length: Math.ceil(sentences.length / BATCH_SIZE) }, (_, index) =>
  sentences.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE)
)

const ours = createTokenizer(tokenizerJson, { maxTokens: MAX_TOKENS })
const rust = RustTokenizer.fromString(JSON.stringify({ ...tokenizerJson, truncation: null, padding: null }))
rust.setTruncation(MAX_TOKENS)

let tokenCount = 0
for (const sentence of sentences) {
  const { ids } = ours.tokenize(sentence, 'end')
  assert.deepEqual([...ids], (await rust.encode(sentence)).getIds())
  tokenCount += ids.length
}

const contestants: { readonly name: string; readonly repeats: number; readonly run: () => Promise<void> }[] = [
  {
    name: 'ours, one by one',
    repeats: 200,
    run: async () => {
      for (const sentence of sentences) ours.tokenize(sentence, 'end')
    }
  },
  {
    name: 'npm tokenizers, one by one',
    repeats: 4,
    run: async () => {
      for (const sentence of sentences) (await rust.encode(sentence)).getIds()
    }
  },
  {
    name: `npm tokenizers, batches of ${BATCH_SIZE}, all cores`,
    repeats: 8,
    run: async () => {
      for (const batch of batches) for (const encoding of await rust.encodeBatch(batch)) encoding.getIds()
    }
  }
]

const rates = new Map(contestants.map(({ name }) => [name, [] as number[]]))
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, repeats, run } of contestants) {
    const start = performance.now()
    for (let repeat = 0; repeat < repeats; repeat++) await run()
    const seconds = (performance.now() - start) / 1000
    rates.get(name)?.push((repeats * sentences.length) / seconds)
  }
}

const mean = (tokenCount / sentences.length).toFixed(1)
console.log(
  `${sentences.length} sentences of ${mean} tokens, ${cpus()[0]?.model ?? 'CPU'}, Node ${process.versions.node}`
)
for (const [name, measured] of rates) {
  const median = measured.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0
  console.log(`${name.padEnd(44)} ${Math.round(median).toLocaleString('en').padStart(9)} sentences/s`)
}
