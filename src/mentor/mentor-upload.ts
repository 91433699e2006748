/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { assertCsvFits } from '../reading/bounded-csv.ts'
import { readJson, type JsonLimits } from '../reading/bounded-json.ts'
import { ServiceError } from '../errors.ts'
import { lintRepertoire, type LintFinding } from './lint.ts'
import { Mentor, repertoireOf } from './mentor.ts'
import type { StoredMentor } from './mentor-source.ts'
import { recordedListsOf } from './recorded.ts'
import { mergeSheet } from './sheet-merge.ts'
import {
  MAX_QUESTIONS,
  readTrainingData,
  trainingDataOf,
  type DroppedLines,
  type LineProblem,
  type TrainingSheet
} from './training-data.ts'

/** An uploaded mentor. */
export interface MentorUpload {
  /** `csv`: training data, which is merged into the stored mentor. */
  readonly format: 'json' | 'csv'
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The declared charset, as `charsetOf` gives it. */
  readonly charset?: string | undefined
  /** JSON of the stored mentor, for `csv`. */
  readonly before?: Uint8Array<ArrayBuffer> | undefined
}

/** Summary of an uploaded mentor. */
export interface UploadSummary {
  /** Number of answers that count, without utterances. */
  readonly answerCount: number
  readonly utteranceCount: number
  /** Number of questions and paraphrases of these answers. */
  readonly phraseCount: number
  /** Number of answers of JSON that are not stored because they have no id or no question. */
  readonly leftOutCount: number
  readonly problems: readonly LineProblem[]
  /** Undefined for JSON. */
  readonly dropped: DroppedLines | undefined
  readonly lint: readonly LintFinding[]
}

/** An uploaded mentor, ready to be stored. */
export interface ReadUpload {
  readonly mentor: StoredMentor
  readonly summary: UploadSummary
}

/** Limits of an uploaded mentor. */
export type UploadLimits = JsonLimits

/**
 * Maximum number of questions and paraphrases of a mentor. Training on so many takes some hours, and reading a mentor
 * takes several times the memory of their texts.
 */
export const MAX_PHRASES = 500_000

/** Maximum number of problems reported for an invalid mentor: all lines of a wrong file may have the same problem. */
const MAX_FINDINGS = 20

const mentorSchema = Compile(Mentor)
const MEMBERS = Object.keys(Mentor.properties)
/** Where a reply of a GraphQL service has the mentor, and where programs keep one. */
const WRAPPERS = [['data', 'mentor'], ['mentor'], ['data']] as const

/**
 * Reads an uploaded mentor: parses, checks and lints it, and writes the form that is stored. The largest take some
 * seconds: `createUploadReader` reads them in a thread.
 * @throws {ServiceError} INVALID_REQUEST when it is not a mentor, PAYLOAD_TOO_LARGE when it has more than {@link
 *   MAX_QUESTIONS} or {@link MAX_PHRASES}, or more than the limits allow
 */
export function readMentorUpload({ format, bytes, charset, before }: MentorUpload, limits: UploadLimits): ReadUpload {
  const { mentor, leftOutCount, problems, dropped } =
    format === 'csv'
      ? { ...readCsv(bytes, charset, before, limits), leftOutCount: 0 }
      : { ...readMentor(bytes, charset, limits), problems: [], dropped: undefined }
  const answerCount = (mentor.answers?.length ?? 0) + (mentor.orphanedCompleteAnswers?.length ?? 0)
  if (answerCount > MAX_QUESTIONS) {
    throw new ServiceError(
      'PAYLOAD_TOO_LARGE',
      `Cannot store the mentor: ${answerCount} questions, at most ${MAX_QUESTIONS} are allowed`
    )
  }
  assertFewPhrases(mentor)
  const json = new TextEncoder().encode(JSON.stringify(mentor))
  const repertoire = repertoireOf(mentor)
  const utteranceCount = [...repertoire.utterances.values()].reduce((sum, ofName) => sum + ofName.length, 0)
  const phraseCounts = repertoire.answers.map(({ question }) => 1 + (question.paraphrases?.length ?? 0))
  return {
    mentor: { json, revision: hash('sha256', json, 'base64url'), name: mentor.name ?? undefined, answerCount },
    summary: {
      answerCount: repertoire.answers.length,
      utteranceCount,
      phraseCount: phraseCounts.reduce((sum, count) => sum + count, 0),
      leftOutCount,
      problems,
      dropped,
      lint: lintRepertoire(repertoire)
    }
  }
}

function assertFewPhrases({ answers, orphanedCompleteAnswers }: Mentor): void {
  let count = 0
  for (const { question } of [...(answers ?? []), ...(orphanedCompleteAnswers ?? [])]) {
    count += 1 + (question?.paraphrases?.length ?? 0)
  }
  if (count <= MAX_PHRASES) return
  const found = `${count} questions and paraphrases, at most ${MAX_PHRASES} are allowed`
  throw new ServiceError('PAYLOAD_TOO_LARGE', `Cannot store the mentor: ${found}`)
}

function readCsv(
  csv: Uint8Array,
  charset: string | undefined,
  before: Uint8Array | undefined,
  limits: UploadLimits
): { mentor: Mentor; problems: readonly LineProblem[]; dropped: DroppedLines } {
  assertCsvFits(csv, limits.maxJsonHeapBytes)
  const sheet = readTrainingData(csv, charset)
  const known: Mentor | undefined = before && JSON.parse(new TextDecoder().decode(before))
  assertNotAllRefused(sheet, known)
  return { ...mergeSheet(known, sheet), dropped: sheet.dropped }
}

/**
 * A table without a good line would take all answers away. Only the table of a mentor without answers is such a table,
 * and may be put back.
 */
function assertNotAllRefused({ rows, problems, columnCount }: TrainingSheet, known: Mentor | undefined): void {
  if (rows.length > 0 || (known !== undefined && trainingDataOf(known).length === 0)) return
  const told = problems.slice(0, MAX_FINDINGS).map(({ line, message }) => `line ${line}: ${message}`)
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const found =
    told[0] === undefined
      ? `it has a header of ${columnCount} columns, and no line after it (curl --data takes line breaks away, --data-binary keeps them)`
      : `no line of it can be taken: ${told[0]}${more}`
  throw new ServiceError('INVALID_REQUEST', `Cannot store the table: ${found}`, { fields: { table: told } })
}

function readMentor(
  bytes: Uint8Array,
  charset: string | undefined,
  limits: UploadLimits
): { mentor: Mentor; leftOutCount: number } {
  const value = unwrapped(readJson(bytes, limits, { charset }))
  const { mentor, leftOutCount, positionOf } = recordedListsOf(value ?? {})
  if (value !== undefined && mentorSchema.Check(mentor)) return { mentor, leftOutCount }
  const fields: Record<string, string[]> = {}
  const faults = value === undefined ? [] : mentorSchema.Errors(mentor)
  for (const { keyword, instancePath, message } of faults.slice(0, MAX_FINDINGS)) {
    const [, field, index, ...rest] = instancePath.split('/')
    // For a nullable member each alternative reports an error; the error that none matches adds nothing.
    if (field === undefined || keyword === 'anyOf') continue
    const position = index === undefined ? [] : [positionOf(field, Number(index)), ...rest]
    ;(fields[field] ??= []).push([...position, message].join(' '))
  }
  const [first] = Object.entries(fields)
  const found =
    first === undefined
      ? `a JSON object with one of ${MEMBERS.join(', ')} is wanted`
      : `${first[0]}: ${first[1].join(', ')}`
  throw new ServiceError('INVALID_REQUEST', `Cannot read the mentor: ${found}`, { fields })
}

/** The object that has a mentor's members: the value, or one within it; undefined when there is none. */
function unwrapped(value: unknown): object | undefined {
  if (hasMember(value)) return value
  return WRAPPERS.map((path) => path.reduce(memberOf, value)).find(hasMember)
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}

function hasMember(value: unknown): value is object {
  return isObject(value) && MEMBERS.some((name) => (memberOf(value, name) ?? null) !== null)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
