/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type } from 'typebox'
import { Value } from 'typebox/value'

const SpecialToken = Type.Object({ SpecialToken: Type.Object({ id: Type.String(), type_id: Type.Literal(0) }) })
const Sequence = Type.Object({ Sequence: Type.Object({ id: Type.Literal('A'), type_id: Type.Literal(0) }) })
const TokenId = Type.Integer({ minimum: 0, maximum: 0x7fffffff })

/**
 * The kind of tokenizer.json that `createTokenizer()` implements: BERT's WordPiece. `truncation`, `padding` and
 * `decoder` are not read: other files define how much a model reads, and we never decode.
 */
const TokenizerJson = Type.Object({
  added_tokens: Type.Array(
    Type.Object({
      id: TokenId,
      content: Type.String({ minLength: 1 }),
      single_word: Type.Literal(false),
      lstrip: Type.Literal(false),
      rstrip: Type.Literal(false),
      normalized: Type.Literal(false)
    })
  ),
  normalizer: Type.Object({
    type: Type.Literal('BertNormalizer'),
    clean_text: Type.Boolean(),
    handle_chinese_chars: Type.Boolean(),
    strip_accents: Type.Union([Type.Boolean(), Type.Null()]),
    lowercase: Type.Boolean()
  }),
  pre_tokenizer: Type.Object({ type: Type.Literal('BertPreTokenizer') }),
  post_processor: Type.Object({
    type: Type.Literal('TemplateProcessing'),
    single: Type.Array(Type.Union([SpecialToken, Sequence])),
    special_tokens: Type.Record(Type.String(), Type.Object({ ids: Type.Array(TokenId) }))
  }),
  model: Type.Object({
    type: Type.Literal('WordPiece'),
    unk_token: Type.String(),
    continuing_subword_prefix: Type.String(),
    max_input_chars_per_word: Type.Integer({ minimum: 1, maximum: 10_000 }),
    vocab: Type.Record(Type.String(), TokenId)
  })
})

/** Steps of a normalizer, in this order. */
export interface NormalizerFlags {
  /** Drop control characters, make every white space a space. */
  readonly cleanText: boolean
  /** Make every ideograph a word of its own. */
  readonly handleChineseChars: boolean
  /** Decompose (NFD) and drop nonspacing marks. */
  readonly stripAccents: boolean
  readonly lowercase: boolean
}

/** A text that becomes one token wherever it occurs. */
export interface AddedToken {
  readonly content: string
  readonly id: number
}

/** Definition of a WordPiece tokenizer. */
export interface WordPieceDefinition {
  readonly normalizer: NormalizerFlags
  readonly addedTokens: readonly AddedToken[]
  /** Ids by piece. A piece that continues a word begins with `continuingPrefix`. */
  readonly vocabulary: ReadonlyMap<string, number>
  /** Ids are from 0 to one less than this. */
  readonly idCount: number
  readonly continuingPrefix: string
  readonly unknownId: number
  /** A word of more characters becomes the unknown token. */
  readonly maxWordCharacters: number
  /** Ids before and after the text's own: `[CLS]` and `[SEP]`. */
  readonly prefixIds: readonly number[]
  readonly suffixIds: readonly number[]
}

/**
 * Reads a parsed `tokenizer.json` of the Hugging Face `tokenizers` library.
 * @throws {Error} that says which part is not implemented here or contradicts another
 */
export function readTokenizerJson(json: unknown): WordPieceDefinition {
  if (!Value.Check(TokenizerJson, json)) {
    const [first] = Value.Errors(TokenizerJson, json)
    throw unreadable(`${first?.instancePath || 'the file'} ${first?.message ?? 'is not understood'}`)
  }
  const { normalizer, model, post_processor: template } = json
  const vocabulary = new Map(Object.entries(model.vocab))
  const unknownId = vocabulary.get(model.unk_token)
  if (unknownId === undefined) throw unreadable('/model/vocab has no unk_token')

  const isSequence = template.single.map((part) => 'Sequence' in part)
  const sequenceIndex = isSequence.indexOf(true)
  if (sequenceIndex === -1 || isSequence.lastIndexOf(true) !== sequenceIndex) {
    throw unreadable('/post_processor/single must hold the sequence once')
  }
  const idsOf = (parts: typeof template.single): number[] =>
    parts.flatMap((part) => {
      const name = 'SpecialToken' in part ? part.SpecialToken.id : ''
      const token = Object.hasOwn(template.special_tokens, name) ? template.special_tokens[name] : undefined
      if (token === undefined) throw unreadable('/post_processor/single names a token that special_tokens lacks')
      return token.ids
    })

  const ids = [...vocabulary.values(), ...json.added_tokens.map(({ id }) => id)]
  return {
    normalizer: {
      cleanText: normalizer.clean_text,
      handleChineseChars: normalizer.handle_chinese_chars,
      // Null means "as the original BERT": strip accents when lowercasing.
      stripAccents: normalizer.strip_accents ?? normalizer.lowercase,
      lowercase: normalizer.lowercase
    },
    addedTokens: json.added_tokens.map(({ content, id }) => ({ content, id })),
    vocabulary,
    idCount: ids.reduce((greatest, id) => Math.max(greatest, id), 0) + 1,
    continuingPrefix: model.continuing_subword_prefix,
    unknownId,
    maxWordCharacters: model.max_input_chars_per_word,
    prefixIds: idsOf(template.single.slice(0, sequenceIndex)),
    suffixIds: idsOf(template.single.slice(sequenceIndex + 1))
  }
}

function unreadable(problem: string): Error {
  return new Error(`Reading tokenizer.json: ${problem} (only BERT WordPiece tokenizers are implemented)`)
}
