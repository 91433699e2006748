/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'

import { readJson, type JsonLimits } from '../reading/bounded-json.ts'
import type { Embeddings, Encoder, EncodeOptions, Truncate } from '../embedding/encoder.ts'
import { float32Text } from '../embedding/float32-json.ts'
import { mineParaphrases } from '../embedding/paraphrase-mining.ts'
import { nextTurn } from '../embedding/similarity.ts'
import { ServiceError } from '../errors.ts'
import { packEmbeddings, type EncodedRow, type LineError } from './embeddings-result.ts'
import type { JobContext, JobHandler } from './job-runner.ts'
import { unpackPayload } from './payload.ts'

/** Name of the jobs of {@link encodeJob}. */
export const ENCODE_JOB_TYPE = 'encode'
/** Name of the jobs of {@link paraphraseJob}. */
export const PARAPHRASE_JOB_TYPE = 'paraphrase'
/** Media type of lines of JSON; `application/x-ndjson` and `application/x-jsonlines` are other names for it. */
export const LINES_TYPE = 'application/jsonl'
/** The most sentences, or lines, of one job. */
export const MAX_JOB_SENTENCES = 50_000

/** Bounds of an input. */
export interface SentenceLimits extends Pick<JsonLimits, 'maxJsonDepth'> {
  /** The longest single text. */
  readonly maxTextCharacters: number
}

/** Schema of the input of both kinds of jobs. */
export function sentencesInput(limits: Pick<SentenceLimits, 'maxTextCharacters'>) {
  return Type.Object({
    sentences: Type.Array(Type.String({ maxLength: limits.maxTextCharacters }), {
      minItems: 1,
      maxItems: MAX_JOB_SENTENCES
    }),
    truncate: Type.Optional(
      Type.Enum(['end', 'start', 'none'], {
        description: 'Which end of a text to cut that is longer than the model reads; with `none` the job fails.',
        default: 'end'
      })
    )
  })
}

/** Sentences per call of the encoder. Between two calls the encoder serves others, and the job reports progress. */
const SENTENCES_A_CALL = 256
const CANNOT_ENCODE_LINE = 'Cannot encode this line'
/** Lines, or bytes of them, that are read before the event loop may run other work: some milliseconds. */
const LINES_A_TURN = 1000
const BYTES_A_TURN = 1_048_576
const NEWLINE = 0x0a
const MAX_ESCAPED_BYTES = 6
/** Bytes of a line beside its two texts. */
const MAX_KEYS_BYTES = 4096
const PAIRS_A_TURN = 4096
const MAX_CUSTOM_ID_CHARACTERS = 512
const RETRY_AFTER_SECONDS = 1

/**
 * Encodes in the encoder's bulk lane: a list of sentences, or lines of `{"custom_id", "query"}`.
 * An invalid line gets an error in its row; the other lines are encoded. The result is packed by `packEmbeddings`.
 */
export function encodeJob(encoder: Encoder, limits: SentenceLimits): JobHandler {
  const inputOf = Compile(sentencesInput(limits))
  return async (input, context) => {
    const { revision, dimensions } = encoder
    if (input.contentType === LINES_TYPE) {
      const lines = await readLines(input.bytes, limits, context.signal)
      const { rows, values } = await encodeLines(encoder, lines, context)
      return packEmbeddings({ revision, dimensions, form: 'lines', rows, values })
    }
    const { sentences, truncate } = checked(inputOf, unpackPayload(input))
    const { values, isTruncated } = await encodeInBulk(encoder, sentences, context, optionsOf(truncate))
    const rows = sentences.map((original, index) => ({ original, isTruncated: isTruncated[index] === true }))
    return packEmbeddings({ revision, dimensions, form: 'sentences', rows, values })
  }
}

/** Finds the pairs of sentences that are most alike: `{"pairs": [[score, i, j], …]}`, best first. */
export function paraphraseJob(encoder: Encoder, limits: SentenceLimits): JobHandler {
  const inputOf = Compile(sentencesInput(limits))
  return async (input, context) => {
    const { sentences, truncate } = checked(inputOf, unpackPayload(input))
    const { values } = await encodeInBulk(encoder, sentences, context, optionsOf(truncate))
    const { signal } = context
    const pairs = await mineParaphrases({ values, dimensions: encoder.dimensions }, { signal })
    const pieces: string[] = []
    for (const [index, { score, i, j }] of pairs.entries()) {
      pieces.push(`[${float32Text(score)},${i},${j}]`)
      if (index % PAIRS_A_TURN === PAIRS_A_TURN - 1) await nextTurn(signal)
    }
    return { contentType: 'application/json', bytes: new TextEncoder().encode(`{"pairs":[${pieces.join(',')}]}`) }
  }
}

/** A line as read: what to encode, or why not. */
type Line = { readonly customId: string | null } & ({ readonly query: string } | { readonly error: LineError })

/** The lines of a body that are not blank, one at a time: a body may have as many lines as bytes. */
function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    // Skips blank lines and leading white space; a body may consist of nothing else.
    while (start < bytes.length && isWhiteSpace(bytes[start]!)) start += 1
    if (start === bytes.length) return
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline
    yield bytes.subarray(start, end)
    start = end + 1
  }
}

/** Tab, line feed, vertical tab, form feed, carriage return and space. */
function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

/** Counts the lines of a body of JSON lines that are not blank. @param most the count stops at one more than this */
export function countLines(bytes: Uint8Array, most: number): number {
  return linesOf(bytes)
    .take(most + 1)
    .reduce((count) => count + 1, 0)
}

/** Reads lines of JSON; an invalid line does not affect the others. */
async function readLines(bytes: Uint8Array, limits: SentenceLimits, signal: AbortSignal): Promise<Line[]> {
  const lines: Line[] = []
  const customIds = new Set<string>()
  let bytesOfTurn = 0
  for (const line of linesOf(bytes)) {
    lines.push(readLine(line, limits, customIds))
    bytesOfTurn += line.length
    if (lines.length % LINES_A_TURN !== 0 && bytesOfTurn < BYTES_A_TURN) continue
    bytesOfTurn = 0
    await nextTurn(signal)
  }
  return lines
}

function readLine(bytes: Uint8Array, limits: SentenceLimits, customIds: Set<string>): Line {
  // An escaped character takes up to six bytes, so a line longer than this has too long a text, and is not parsed.
  const maxBytes = MAX_ESCAPED_BYTES * (limits.maxTextCharacters + MAX_CUSTOM_ID_CHARACTERS) + MAX_KEYS_BYTES
  if (bytes.length > maxBytes) return refused(null, `the line is longer than ${maxBytes} bytes`)
  let line: unknown
  try {
    line = readJson(bytes, limits, { action: CANNOT_ENCODE_LINE })
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return { customId: null, error: { code: error.code, message: error.message } }
  }
  if (typeof line !== 'object' || line === null) return refused(null, 'the line is not an object')
  const customId = 'custom_id' in line ? line.custom_id : null
  if (customId !== null && (typeof customId !== 'string' || customId.length > MAX_CUSTOM_ID_CHARACTERS)) {
    return refused(null, `"custom_id" is not a string of at most ${MAX_CUSTOM_ID_CHARACTERS} characters`)
  }
  if (customId !== null && customIds.has(customId)) return refused(customId, 'an earlier line has the same "custom_id"')
  if (customId !== null) customIds.add(customId)
  const query = 'query' in line && typeof line.query === 'string' ? line.query.trim() : ''
  if (query === '') return refused(customId, '"query" is missing, empty or not a string')
  if (query.length > limits.maxTextCharacters) {
    return refused(customId, `"query" is longer than ${limits.maxTextCharacters} characters`)
  }
  return { customId, query }
}

function refused(customId: string | null, reason: string): Line {
  return { customId, error: { code: 'INVALID_REQUEST', message: `${CANNOT_ENCODE_LINE}: ${reason}` } }
}

async function encodeLines(
  encoder: Encoder,
  lines: readonly Line[],
  context: JobContext
): Promise<{ rows: EncodedRow[]; values: Float32Array<ArrayBuffer> }> {
  const { dimensions } = encoder
  const good = lines.flatMap((line, index) => ('query' in line ? [{ ...line, index }] : []))
  const queries = good.map((line) => line.query)
  const encoded = await encodeInBulk(encoder, queries, context, {})
  const values = new Float32Array(lines.length * dimensions).fill(Number.NaN)
  const rows: EncodedRow[] = lines.map((line) =>
    'error' in line ? { customId: line.customId, error: line.error } : { customId: line.customId, isTruncated: false }
  )
  for (const [position, { customId, index }] of good.entries()) {
    values.set(encoded.values.subarray(position * dimensions, (position + 1) * dimensions), index * dimensions)
    rows[index] = { customId, isTruncated: encoded.isTruncated[position] === true }
  }
  return { rows, values }
}

/** Encodes any number of sentences in the bulk lane, a part at a time. */
async function encodeInBulk(
  encoder: Encoder,
  sentences: readonly string[],
  context: JobContext,
  options: EncodeOptions
): Promise<{ values: Float32Array<ArrayBuffer>; isTruncated: boolean[] }> {
  const { dimensions } = encoder
  const values = new Float32Array(sentences.length * dimensions)
  const isTruncated: boolean[] = []
  const bulk: EncodeOptions = { ...options, lane: 'bulk', callerKey: context.job.owner, signal: context.signal }
  for (let start = 0; start < sentences.length; start += SENTENCES_A_CALL) {
    const part = sentences.slice(start, start + SENTENCES_A_CALL)
    const embeddings = await encodeWhenThereIsRoom(encoder, part, bulk, context.signal)
    values.set(embeddings.values, start * dimensions)
    isTruncated.push(...embeddings.isTruncated)
    context.progress((start + part.length) / sentences.length)
  }
  return { values, isTruncated }
}

/** Encodes, and waits and retries while the encoder is full: a job has time, where an HTTP request would be refused. */
async function encodeWhenThereIsRoom(
  encoder: Encoder,
  sentences: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal
): Promise<Embeddings> {
  for (;;) {
    try {
      return await encoder.encode(sentences, options)
    } catch (error) {
      const isFull =
        error instanceof ServiceError && (error.code === 'OVERLOADED' || error.code === 'TOO_MANY_REQUESTS')
      if (!isFull) throw error
      await sleep((error.retryAfterSeconds ?? RETRY_AFTER_SECONDS) * 1000, undefined, { signal })
    }
  }
}

/** Checks an input: a route has done so already, but a program's own producer has not. */
function checked<T>(validator: { Check(value: unknown): value is T }, input: unknown): T {
  if (validator.Check(input)) return input
  throw new ServiceError(
    'INVALID_REQUEST',
    'Cannot encode: the input is not {"sentences": [text, …]} within its bounds'
  )
}

function optionsOf(truncate: Truncate | undefined): EncodeOptions {
  return truncate === undefined ? {} : { truncate }
}
