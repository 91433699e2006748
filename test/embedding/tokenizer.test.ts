/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Tokenizer as RustTokenizer } from 'tokenizers'
import { PieceTrie } from '../../src/embedding/piece-trie.ts'
import { createTokenizer } from '../../src/embedding/tokenizer.ts'
import { ServiceError } from '../../src/errors.ts'
import referenceEmbeddings from '../fixtures/reference-embeddings.json' with { type: 'json' }
import { modelPath } from '../fixtures/model-path.ts'
import { nastyTexts } from './nasty-texts.ts'

const CLS = 101
const SEP = 102
const UNK = 100
const MAX_TOKENS = 256
/** Longer than any text that is compared with the Rust library uncut. */
const UNCUT = 10_000

/** What the tests below read of the file. */
interface TokenizerFile {
  readonly added_tokens: readonly object[]
  readonly normalizer: object
  readonly post_processor: object
  readonly model: { readonly vocab: Readonly<Record<string, number>> }
}

const tokenizerJson: TokenizerFile = JSON.parse(readFileSync(join(modelPath, 'source', 'tokenizer.json'), 'utf8'))
const sentences = referenceEmbeddings.sentences.map(({ text }) => text)
const tokenizer = createTokenizer(tokenizerJson, { maxTokens: MAX_TOKENS })

/** The oracle: the Rust library, reading the whole text. */
function rustTokenizer(json: object): RustTokenizer {
  return RustTokenizer.fromString(JSON.stringify({ ...json, truncation: null, padding: null }))
}

/** Holds our ids of each text against the Rust library's. */
async function assertSameIds(json: object, texts: readonly string[], maxTokens = UNCUT): Promise<void> {
  const ours = createTokenizer(json, { maxTokens })
  const encodings = await rustTokenizer(json).encodeBatch([...texts])
  assert.equal(encodings.length, texts.length)
  for (const [index, text] of texts.entries()) {
    const wanted = encodings[index]?.getIds()
    assert.deepEqual([...ours.tokenize(text, 'none').ids], wanted, `of text ${index}: ${JSON.stringify(text)}`)
  }
}

/** Every code point below a limit in the middle of a word, 256 words a text. */
function textsOfEveryCodePoint(limit: number): string[] {
  return Array.from({ length: limit / 256 }, (_, page) =>
    Array.from({ length: 256 }, (_word, index) => `a${String.fromCodePoint(page * 256 + index)}b`).join(' ')
  )
}

/**
 * The model's tokenizer.json with a vocabulary of single characters of all scripts, so that no difference hides in `[UNK]`.
 * @param normalizer flags that differ from the model's
 * @param limit the vocabulary has the code points below
 */
function characterTokenizerJson(normalizer: object = {}, limit = 0x20000): TokenizerFile {
  const characters = Array.from({ length: limit }, (_, code) => String.fromCodePoint(code)).filter((character) =>
    /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)
  )
  const pieces = [
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    ...characters,
    ...characters.map((character) => `##${character}`)
  ]
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]))
  const special = (name: string): object => ({ id: name, ids: [vocab[name]], tokens: [name] })
  return {
    ...tokenizerJson,
    added_tokens: [],
    normalizer: { ...tokenizerJson.normalizer, ...normalizer },
    post_processor: {
      ...tokenizerJson.post_processor,
      special_tokens: { '[CLS]': special('[CLS]'), '[SEP]': special('[SEP]') }
    },
    model: { ...tokenizerJson.model, vocab }
  }
}

test('tokenize() gives the ids of the Rust library for 40,000 nasty texts', async () => {
  await assertSameIds(tokenizerJson, [...sentences, ...nastyTexts(40_000, sentences, 20_261_121)])
})

test('tokenize() gives the ids of the Rust library for every code point', async () => {
  await assertSameIds(tokenizerJson, textsOfEveryCodePoint(0x110000))
})

test('tokenize() gives the ids of the Rust library for planes 0 to 2 with a vocabulary of all characters', async () => {
  await assertSameIds(characterTokenizerJson(), textsOfEveryCodePoint(0x30000))
})

test('tokenize() gives the ids of the Rust library for each normalizer', async () => {
  const texts = nastyTexts(500, sentences, 7)
  for (const clean_text of [true, false]) {
    for (const handle_chinese_chars of [true, false]) {
      for (const strip_accents of [true, false, null]) {
        for (const lowercase of [true, false]) {
          const flags = { clean_text, handle_chinese_chars, strip_accents, lowercase }
          await assertSameIds(characterTokenizerJson(flags, 0x3100), texts)
        }
      }
    }
  }
})

test('tokenize() brings marks into the canonical order of the Rust library', async () => {
  const ranked = Array.from(
    '\u{11446}\u{1e94a}\u1b44\ua953\u{11c3f}\u{1d165}\u{1d172}\u302e\u302f\u{1d16d}\u08d4\u{1e000}'
  )
  // A mark that is dropped, one that is dropped and keeps others apart, a letter, a control character.
  const between = ['', '\u0301', '\u0941', 'a', '\u0000']
  const texts = ranked.flatMap((first) =>
    ranked.flatMap((second) =>
      between.map((gap) =>
        ranked.map((third) => `${first}${gap}${second}${third} a${first}${second}${gap}${third}`).join(' ')
      )
    )
  )
  await assertSameIds(characterTokenizerJson(), texts)
})

test('tokenize() takes a lone surrogate for U+FFFD', () => {
  for (const text of ['a\ud800b', 'a\udc00b', 'a\udc00\ud800b', 'ab\ud83d']) {
    assert.deepEqual(tokenizer.tokenize(text, 'end'), tokenizer.tokenize(text.toWellFormed(), 'end'))
  }
  const keepsControls = createTokenizer(characterTokenizerJson({ clean_text: false }), { maxTokens: MAX_TOKENS })
  assert.equal(keepsControls.countTokens('a\ud800b'), 5)
})

test('tokenize() gives only the special tokens for a text of nothing', () => {
  for (const text of ['', ' \t\n', '\u0000\u200b', '\u0301']) {
    assert.deepEqual([...tokenizer.tokenize(text, 'none').ids], [CLS, SEP])
  }
})

test('tokenize() reads a special token written as text as that token, as the Rust library does', () => {
  assert.deepEqual([...tokenizer.tokenize('a[SEP]b', 'end').ids], [CLS, 1037, SEP, 1038, SEP])
})

test('tokenize() prefers the longer of two added tokens', async () => {
  const added = tokenizerJson.added_tokens.concat(
    ['<a', '<ab>', '<abc'].map((content, index) => ({ ...tokenizerJson.added_tokens[0], content, id: 30_000 + index }))
  )
  const vocab = { ...tokenizerJson.model.vocab, '<a': 30_000, '<ab>': 30_001, '<abc': 30_002 }
  const json = { ...tokenizerJson, added_tokens: added, model: { ...tokenizerJson.model, vocab } }
  await assertSameIds(json, ['<a', '<ab', '<ab>', '<abc', '<abcd<ab<a>', 'x<abc>y', '<<a', '<[CLS]a'])
})

for (const [truncate, direction] of [
  ['end', 'right'],
  ['start', 'left']
] as const) {
  test(`tokenize() cuts the ${truncate} as the Rust library does`, async () => {
    const rust = rustTokenizer(tokenizerJson)
    rust.setTruncation(MAX_TOKENS, { direction })
    const words = 'one banana, unbelievably électrifying 漢字 pneumonoultramicroscopic [MASK] '.repeat(60)
    const texts = sentences.concat(
      Array.from({ length: 40 }, (_, index) => `${'a '.repeat(240 + index)}\u0000 `),
      Array.from({ length: 40 }, (_, index) => words.slice(index, 1200 + 60 * index)),
      words.repeat(20),
      `${'a '.repeat(230)}${'zq'.repeat(50)} b`,
      `b ${'zq'.repeat(50)} ${'a '.repeat(230)}`
    )
    const whole = await rustTokenizer(tokenizerJson).encodeBatch(texts)
    const cut = await rust.encodeBatch(texts)
    for (const [index, text] of texts.entries()) {
      const { ids, isTruncated } = tokenizer.tokenize(text, truncate)
      assert.deepEqual([...ids], cut[index]?.getIds(), `of text ${index}`)
      assert.equal(isTruncated, (whole[index]?.getLength() ?? 0) > MAX_TOKENS, `of text ${index}`)
      assert.equal(tokenizer.countTokens(text), whole[index]?.getLength(), `of text ${index}`)
    }
  })
}

test("tokenize() with 'none' refuses a text one token too long, and says how long it is", () => {
  const text = 'secret '.repeat(MAX_TOKENS - 2)
  assert.equal(tokenizer.tokenize(text, 'none').ids.length, MAX_TOKENS)
  assert.throws(
    () => tokenizer.tokenize(`${text}word`, 'none'),
    (error) => {
      assert.ok(error instanceof ServiceError)
      assert.equal(error.code, 'INVALID_REQUEST')
      assert.match(error.message, /found 257 tokens, wanted at most 256/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    }
  )
})

test('tokenize() owes nothing to the texts before', () => {
  const wanted = [...tokenizer.tokenize('hello', 'end').ids]
  assert.deepEqual(wanted, [CLS, 7592, SEP])
  for (const text of ['x'.repeat(300), 'a '.repeat(1000), 'unfinish', 'a\u{1e000}', '[CLS', '\ud800']) {
    tokenizer.tokenize(text, 'end')
    assert.deepEqual([...tokenizer.tokenize('hello', 'end').ids], wanted)
  }
})

test('countTokens() gives what the reference counted', () => {
  for (const { text, tokenCount } of referenceEmbeddings.sentences) {
    assert.equal(tokenizer.countTokens(text), tokenCount)
  }
})

test('tokenize() takes a word above the greatest length for unknown without looking for its pieces', (t) => {
  const cut = t.mock.method(PieceTrie.prototype, 'cut')
  assert.deepEqual([...tokenizer.tokenize('x'.repeat(1_000_000), 'none').ids], [CLS, UNK, SEP])
  assert.equal(cut.mock.callCount(), 0)
  tokenizer.tokenize('é'.repeat(100), 'none')
  assert.equal(cut.mock.callCount(), 1)
})

test("tokenize() with 'end' reads no more of 1 MB than it needs", (t) => {
  const cut = t.mock.method(PieceTrie.prototype, 'cut')
  const { ids, isTruncated } = tokenizer.tokenize('hello '.repeat(170_000), 'end')
  assert.deepEqual([...ids], [CLS, ...Array<number>(MAX_TOKENS - 2).fill(7592), SEP])
  assert.ok(isTruncated)
  assert.equal(cut.mock.callCount(), MAX_TOKENS - 1)
})

test("tokenize() with 'start' reads each word of 1 MB once", (t) => {
  const cut = t.mock.method(PieceTrie.prototype, 'cut')
  const { ids } = tokenizer.tokenize(`${'hello '.repeat(170_000)}world`, 'start')
  assert.deepEqual([...ids], [CLS, ...Array<number>(MAX_TOKENS - 3).fill(7592), 2088, SEP])
  assert.equal(cut.mock.callCount(), 170_001)
})

test('createTokenizer() refuses a tokenizer.json of another kind and says where', () => {
  const refused: [change: object, where: RegExp][] = [
    [{ model: { ...tokenizerJson.model, type: 'BPE' } }, /\/model\/type/],
    [{ model: { ...tokenizerJson.model, unk_token: '<unk>' } }, /unk_token/],
    [{ model: { ...tokenizerJson.model, max_input_chars_per_word: 0 } }, /max_input_chars_per_word/],
    [{ normalizer: { type: 'NFC' } }, /\/normalizer/],
    [{ normalizer: null }, /\/normalizer/],
    [{ pre_tokenizer: { type: 'Whitespace' } }, /\/pre_tokenizer\/type/],
    [{ added_tokens: [{ ...tokenizerJson.added_tokens[0], lstrip: true }] }, /\/added_tokens\/0\/lstrip/],
    [{ added_tokens: [{ ...tokenizerJson.added_tokens[0], normalized: true }] }, /\/added_tokens\/0\/normalized/],
    [{ post_processor: { ...tokenizerJson.post_processor, type: 'RobertaProcessing' } }, /\/post_processor\/type/],
    [{ post_processor: { ...tokenizerJson.post_processor, single: [] } }, /\/post_processor\/single/],
    [{ post_processor: { ...tokenizerJson.post_processor, special_tokens: {} } }, /special_tokens/]
  ]
  for (const [change, where] of refused) {
    assert.throws(
      () => createTokenizer({ ...tokenizerJson, ...change }, { maxTokens: MAX_TOKENS }),
      (error) => {
        assert.ok(error instanceof Error)
        assert.match(error.message, /^Reading tokenizer\.json: /)
        assert.match(error.message, where)
        return true
      }
    )
  }
  for (const json of [undefined, null, 'text', [], {}]) {
    assert.throws(() => createTokenizer(json, { maxTokens: MAX_TOKENS }), /^Error: Reading tokenizer\.json: /)
  }
})

test('createTokenizer() refuses a length without room beside the special tokens', () => {
  for (const maxTokens of [-1, 0, 2, 2.5, Number.NaN, Infinity]) {
    assert.throws(() => createTokenizer(tokenizerJson, { maxTokens }), RangeError)
  }
  assert.deepEqual(
    [...createTokenizer(tokenizerJson, { maxTokens: 3 }).tokenize('hello world', 'end').ids],
    [CLS, 7592, SEP]
  )
})
