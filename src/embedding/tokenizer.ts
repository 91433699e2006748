/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import { ACTION, buildCharacterTable, kindOf, payloadOf, rankOf, type CharacterTable } from './character-table.ts'
import type { Truncate } from './encoder.ts'
import { PieceTrie } from './piece-trie.ts'
import { readTokenizerJson, type AddedToken, type WordPieceDefinition } from './tokenizer-json.ts'

/** One sentence as the model reads it. */
export interface Tokenization {
  /** Token ids, special tokens included: `[CLS] … [SEP]`. At most `maxTokens`. */
  readonly ids: Int32Array
  /** Whether the text had more tokens than these. */
  readonly isTruncated: boolean
}

/** Turns text into token ids. */
export interface Tokenizer {
  /** Maximum number of ids of one sentence, special tokens included. */
  readonly maxTokens: number
  /**
   * Tokenizes a sentence. With 'end', reading stops as soon as the text is known to be too long.
   * @throws {ServiceError} INVALID_REQUEST when `truncate` is 'none' and the text has more than `maxTokens` tokens
   */
  tokenize(text: string, truncate: Truncate): Tokenization
  /** Number of tokens of the whole text, without truncation, special tokens included. */
  countTokens(text: string): number
  /**
   * Makes a sentence from token ids: adds missing special tokens and truncates it as a text.
   * @throws {ServiceError} INVALID_REQUEST when an id is not in the vocabulary, and as {@link tokenize}
   */
  wrap(tokenIds: Int32Array, truncate: Truncate): Tokenization
}

/** Options of {@link createTokenizer}. */
export interface TokenizerOptions {
  /** Maximum number of ids of one sentence, special tokens included; the model defines it, not tokenizer.json. */
  readonly maxTokens: number
}

/**
 * Makes the tokenizer that a `tokenizer.json` describes: BERT's WordPiece, id for id what the Rust library `tokenizers` gives.
 *
 * Time and memory are linear in the length of any text: characters are looked up in a table, words in a trie, and words
 * too long to have pieces are never held. A lone surrogate counts as U+FFFD, which it becomes in UTF-8.
 *
 * @param tokenizerJson the parsed file
 * @throws {Error} when the file is of a kind that is not implemented
 * @throws {RangeError} when `maxTokens` leaves no room besides the special tokens
 * @example
 * createTokenizer(json, { maxTokens: 256 }).tokenize('Hello world', 'end').ids // [101, 7592, 2088, 102]
 */
export function createTokenizer(tokenizerJson: unknown, options: TokenizerOptions): Tokenizer {
  return new WordPieceTokenizer(readTokenizerJson(tokenizerJson), options.maxTokens)
}

class WordPieceTokenizer implements Tokenizer {
  readonly maxTokens: number
  readonly #definition: WordPieceDefinition
  readonly #characters: CharacterTable
  readonly #trie: PieceTrie
  /** Added tokens by their first UTF-16 unit, the longest first. */
  readonly #addedTokens = new Map<number, AddedToken[]>()
  /** 1 for each UTF-16 unit that begins an added token. */
  readonly #startsAddedToken = new Uint8Array(0x10000)

  // The word being read: its characters, their ranks as marks, and where the run of marks at its end began.
  readonly #word: Int32Array
  readonly #ranks: Uint8Array
  #wordLength = 0
  #markStart = 0
  readonly #pieces: Int32Array

  // The text's ids: all of them until the buffer is full, then the latest.
  readonly #ids: Int32Array
  #idCount = 0
  #keptCount = 0
  /** Maximum number of a sentence's own ids, special tokens excluded. */
  readonly #room: number

  constructor(definition: WordPieceDefinition, maxTokens: number) {
    this.maxTokens = maxTokens
    this.#room = maxTokens - definition.prefixIds.length - definition.suffixIds.length
    if (!Number.isSafeInteger(this.#room) || this.#room < 1) {
      throw new RangeError(`Creating a tokenizer: maxTokens is ${maxTokens}, too few beside the special tokens`)
    }
    this.#definition = definition
    this.#characters = buildCharacterTable(definition.normalizer)
    this.#trie = new PieceTrie(definition.vocabulary, definition.continuingPrefix)
    for (const token of definition.addedTokens.toSorted((a, b) => b.content.length - a.content.length)) {
      const first = token.content.charCodeAt(0)
      this.#startsAddedToken[first] = 1
      this.#addedTokens.set(first, [...(this.#addedTokens.get(first) ?? []), token])
    }
    this.#word = new Int32Array(definition.maxWordCharacters)
    this.#ranks = new Uint8Array(definition.maxWordCharacters)
    this.#pieces = new Int32Array(definition.maxWordCharacters)
    // Reading for 'end' stops at the first id too many: room for the rest of its word.
    this.#ids = new Int32Array(2 * this.#room + definition.maxWordCharacters)
  }

  tokenize(text: string, truncate: Truncate): Tokenization {
    this.#read(text, truncate === 'end' ? this.#room : Infinity)
    const ownCount = Math.min(this.#idCount, this.#room)
    const start = truncate === 'start' ? this.#keptCount - ownCount : 0
    return this.#finish(this.#ids.subarray(start, start + ownCount), this.#idCount, truncate)
  }

  wrap(tokenIds: Int32Array, truncate: Truncate): Tokenization {
    const { prefixIds, suffixIds, idCount } = this.#definition
    const unknown = tokenIds.find((id) => id < 0 || id >= idCount)
    if (unknown !== undefined) {
      throw new ServiceError('INVALID_REQUEST', `Reading token ids: found ${unknown}, wanted 0 to ${idCount - 1}`)
    }
    const isWrapped =
      tokenIds.length >= prefixIds.length + suffixIds.length &&
      prefixIds.every((id, index) => tokenIds[index] === id) &&
      suffixIds.every((id, index) => tokenIds[tokenIds.length - suffixIds.length + index] === id)
    const own = isWrapped ? tokenIds.subarray(prefixIds.length, tokenIds.length - suffixIds.length) : tokenIds
    const cut = truncate === 'start' ? own.subarray(-this.#room) : own.subarray(0, this.#room)
    return this.#finish(cut, own.length, truncate)
  }

  /** @param idCount number of the text's own ids before truncation */
  #finish(own: Int32Array, idCount: number, truncate: Truncate): Tokenization {
    const isTruncated = idCount > this.#room
    if (isTruncated && truncate === 'none') {
      const count = idCount + this.maxTokens - this.#room
      throw new ServiceError(
        'INVALID_REQUEST',
        `Tokenizing a text: found ${count} tokens, wanted at most ${this.maxTokens} (set "truncate" to cut it)`
      )
    }
    const { prefixIds, suffixIds } = this.#definition
    const ids = new Int32Array(prefixIds.length + own.length + suffixIds.length)
    ids.set(prefixIds)
    ids.set(own, prefixIds.length)
    ids.set(suffixIds, prefixIds.length + own.length)
    return { ids, isTruncated }
  }

  countTokens(text: string): number {
    this.#read(text, Infinity)
    return this.#idCount + this.maxTokens - this.#room
  }

  /** Reads the text's own ids, until there are more than `enough`. */
  #read(text: string, enough: number): void {
    const { actions } = this.#characters
    this.#idCount = 0
    this.#keptCount = 0
    for (let index = 0; index < text.length && this.#idCount <= enough; index++) {
      let codePoint = text.charCodeAt(index)
      if (this.#startsAddedToken[codePoint] === 1) {
        const added = this.#addedTokens.get(codePoint)?.find((token) => text.startsWith(token.content, index))
        if (added !== undefined) {
          this.#endWord()
          this.#push(added.id)
          index += added.content.length - 1
          continue
        }
      }
      if ((codePoint & 0xfc00) === 0xd800) {
        const low = text.charCodeAt(index + 1)
        if ((low & 0xfc00) === 0xdc00) {
          codePoint = 0x10000 + ((codePoint & 0x3ff) << 10) + (low & 0x3ff)
          index++
        }
      }
      this.#act(actions[codePoint]!)
    }
    this.#endWord()
  }

  #act(action: number): void {
    switch (kindOf(action)) {
      case ACTION.LETTER:
        if (this.#wordLength < this.#word.length) this.#word[this.#wordLength] = payloadOf(action)
        this.#markStart = ++this.#wordLength
        break
      case ACTION.SPACE:
        this.#endWord()
        break
      case ACTION.ISOLATED:
        this.#endWord()
        this.#word[0] = payloadOf(action)
        this.#wordLength = 1
        this.#endWord()
        break
      case ACTION.MARK:
        this.#insertMark(payloadOf(action), rankOf(action))
        break
      case ACTION.BARRIER:
        this.#markStart = this.#wordLength
        break
      case ACTION.EXPANSION:
        for (const step of this.#characters.expansions[payloadOf(action)]!) this.#act(step)
        break
      default:
    }
  }

  /** Puts a mark before the marks of higher rank that it follows: canonical ordering. */
  #insertMark(mark: number, rank: number): void {
    let index = this.#wordLength++
    if (index >= this.#word.length) return
    for (; index > this.#markStart && this.#ranks[index - 1]! > rank; index--) {
      this.#word[index] = this.#word[index - 1]!
      this.#ranks[index] = this.#ranks[index - 1]!
    }
    this.#word[index] = mark
    this.#ranks[index] = rank
  }

  #endWord(): void {
    const length = this.#wordLength
    this.#wordLength = 0
    this.#markStart = 0
    if (length === 0) return
    const pieceCount = length > this.#word.length ? 0 : this.#trie.cut(this.#word, length, this.#pieces)
    if (pieceCount === 0) this.#push(this.#definition.unknownId)
    for (let index = 0; index < pieceCount; index++) this.#push(this.#pieces[index]!)
  }

  #push(id: number): void {
    if (this.#keptCount === this.#ids.length) {
      this.#ids.copyWithin(0, this.#keptCount - this.#room)
      this.#keptCount = this.#room
    }
    this.#ids[this.#keptCount++] = id
    this.#idCount++
  }
}

/** A text as the model reads it. */
export interface TokenizedText {
  /** `[CLS]` and `[SEP]` included. */
  readonly ids: ArrayLike<number>
  readonly isTruncated: boolean
}

/**
 * Turns a text into token ids.
 * @throws {ServiceError} INVALID_REQUEST when `truncate` is 'none' and the text is too long
 */
export type Tokenize = (text: string, truncate: Truncate) => TokenizedText
