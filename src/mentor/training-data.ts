/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { describeUnnamed, readCsv, separatorName, type CsvHeader } from '../table/csv-table.ts'
import { repertoireOf, type ListedQuestion, type Mentor, type MentorAnswer } from './mentor.ts'
import { sanitizeKeepingAccents } from './sanitize.ts'
import { csvLine } from '../table/csv-line.ts'

/** One line of training data: an answer and the questions that it answers. */
export interface TrainingRow {
  /** Id of the answer. */
  readonly id: string
  /** Its own question, or the name of an utterance: `_OFF_TOPIC_`. */
  readonly question: string
  readonly paraphrases: readonly string[]
  readonly answer: string
  readonly topics: readonly string[]
}

/** The problem of a line that was left out. */
export interface LineProblem {
  /** Number of the line, counted from 1. */
  readonly line: number
  readonly message: string
}

/** A line that was left out, with what could be read of it. */
export interface RefusedLine extends LineProblem {
  readonly row: TrainingRow
}

export interface TrainingSheet {
  readonly rows: readonly TrainingRow[]
  /** Number of the line on which each row begins. */
  readonly lines: readonly number[]
  readonly problems: readonly LineProblem[]
  /** The lines of {@link TrainingSheet.problems}. */
  readonly refused: readonly RefusedLine[]
  readonly dropped: DroppedLines
  readonly columnCount: number
}

/** Lines and columns that were left out. */
export interface DroppedLines {
  readonly emptyRowCount: number
  /** Number of lines that are the header again. */
  readonly headerRowCount: number
  /** Columns without a name, as `column 6` or `columns 6 to 9`. */
  readonly emptyColumns: readonly string[]
}

export const MAX_QUESTIONS = 25_000

const COLUMNS = ['id', 'question', 'paraphrases', 'answer', 'topic'] as const
const REQUIRED_COLUMNS = ['question', 'answer'] as const
/** The `question` of an utterance's row. */
export const UTTERANCE_NAME = /^_[A-Z][A-Z_]*_$/
/** Why a line without an answer is left out. */
export const NO_ANSWER = 'no answer'

/**
 * Reads training data: CSV with a header line, columns `id,question,paraphrases,answer,topic` in any order, of which
 * `question` and `answer` must be there; paraphrases and topics joined by `|`. A `|` that belongs to the text is `\|`.
 * What R writes for a missing text, `NA` without quotes beside texts in quotes, is an empty cell.
 * A line without id gets one made from its question, so that the same file gives the same ids. Bad lines are left out
 * and reported.
 * @param charset the declared charset, as `charsetOf` gives it
 * @throws {ServiceError} INVALID_REQUEST when it is not CSV or lacks a column; PAYLOAD_TOO_LARGE above {@link
 *   MAX_QUESTIONS} lines
 */
export function readTrainingData(csv: Uint8Array | string, charset?: string): TrainingSheet {
  const { columns, records, dropped } = readTable(csv, charset)
  const rows: TrainingRow[] = []
  const lines: number[] = []
  const refused: RefusedLine[] = []
  const lineOfId = new Map<string, number>()
  for (const { cells: record, line } of records) {
    const cell = (column: (typeof COLUMNS)[number]) => record[columns.indexOf(column)]?.trim() ?? ''
    const question = cell('question')
    const row = {
      id: cell('id') || idOf(question),
      question,
      paraphrases: splitList(cell('paraphrases')),
      answer: cell('answer'),
      topics: splitList(cell('topic'))
    }
    const message = problemOf(row, record.length, columns.length, lineOfId.get(row.id))
    if (message === undefined) {
      lineOfId.set(row.id, line)
      rows.push(row)
      lines.push(line)
    } else {
      refused.push({ line, message, row })
    }
  }
  const problems = refused.map(({ line, message }) => ({ line, message }))
  return { rows, lines, problems, refused, dropped, columnCount: columns.length }
}

/** A question of a test set. */
export interface TestQuestion {
  readonly question: string
  /** Id of the right answer; undefined for an off-topic question. */
  readonly answerId: string | undefined
}

/**
 * Reads a test set: CSV with a header line and the columns `question` and `answer`. `answer` is the id of the right
 * answer, or empty for an off-topic question. Other columns are ignored.
 * @throws {ServiceError} INVALID_REQUEST when it is not CSV, lacks a column or has a line without a question;
 *   PAYLOAD_TOO_LARGE above {@link MAX_QUESTIONS} lines
 */
export function readTestQuestions(csv: Uint8Array | string, charset?: string): TestQuestion[] {
  const { columns, records } = readTable(csv, charset)
  return records.map(({ cells: record, line }) => {
    const cell = (column: string) => record[columns.indexOf(column)]?.trim() ?? ''
    const question = cell('question')
    if (question === '')
      throw new ServiceError('INVALID_REQUEST', `Cannot read the table: line ${line} has no question`)
    return { question, answerId: cell('answer') || undefined }
  })
}

/**
 * Writes training data as CSV (RFC 4180, lines end with CR LF), which {@link readTrainingData} reads back unchanged.
 */
export function writeTrainingData(rows: readonly TrainingRow[]): string {
  const lines = rows.map((row) => [row.id, row.question, joinList(row.paraphrases), row.answer, joinList(row.topics)])
  return [COLUMNS, ...lines].map(csvLine).join('')
}

/** Training data of a mentor: the answers that count, then the utterances, identified by their names. */
export function trainingDataOf(mentor: Mentor): TrainingRow[] {
  const { answers, utterances } = repertoireOf(mentor)
  const rowOf = rowsOf(mentor)
  return [
    ...answers.map((answer) => rowOf(answer, answer.question.question)),
    ...[...utterances].flatMap(([name, ofName]) => ofName.map((answer) => rowOf(answer, name)))
  ]
}

/**
 * Training data in the form of the service that this one replaces: in the order of the mentor's answers, utterances
 * included, each question once, with the question's id. `mergeSheet` knows both kinds of ids.
 */
export function questionSheetOf(mentor: Mentor): TrainingRow[] {
  const { answers, utterances } = repertoireOf(mentor)
  const rowOf = rowsOf(mentor)
  const textOf = new Map<MentorAnswer, string>([
    ...answers.map((answer) => [answer, answer.question.question] as const),
    ...[...utterances].flatMap(([name, ofName]) => ofName.map((answer) => [answer, name] as const))
  ])
  const rows = new Map<string, TrainingRow>()
  for (const answer of [...(mentor.answers ?? []), ...(mentor.orphanedCompleteAnswers ?? [])]) {
    const text = textOf.get(answer)
    const id = cellText(answer.question._id)
    if (text !== undefined && !rows.has(id)) rows.set(id, { ...rowOf(answer, text), id })
  }
  return [...rows.values()]
}

function rowsOf({ questions }: Mentor): (answer: MentorAnswer, question: string) => TrainingRow {
  const topicsOfQuestion = new Map(questions?.map((entry) => [entry.question._id, topicNames(entry)]))
  return (answer, question) => ({
    id: cellText(answer._id),
    question: cellText(question),
    paraphrases: cellTexts(answer.question.paraphrases),
    answer: cellText(answer.transcript),
    topics: topicsOfQuestion.get(answer.question._id) ?? []
  })
}

/**
 * A text as it is written to a cell, without lone surrogates, which UTF-8 lacks, and without NUL, which would make the
 * table look like UTF-16.
 */
export function cellText(text: string | null | undefined): string {
  return (text ?? '').replaceAll('\0', '').toWellFormed().trim()
}

/** Items as they are written to a cell. */
export function cellTexts(texts: readonly string[] | null | undefined): string[] {
  return (texts ?? []).map(cellText).filter((text) => text !== '')
}

/** Topics of a listed question as they are written to a cell. */
function topicNames({ topics }: ListedQuestion): string[] {
  return cellTexts(topics?.map(({ name }) => name))
}

/** Reads the lines after the header. */
function readTable(csv: Uint8Array | string, charset: string | undefined) {
  const table = readCsv(csv, { wanted: REQUIRED_COLUMNS, charset, action: 'read training data', hasMissingTexts: true })
  const { rows, emptyRowCount, headerRowCount } = table
  const columns = readHeader(table)
  if (rows.length > MAX_QUESTIONS) {
    throw new ServiceError(
      'PAYLOAD_TOO_LARGE',
      `Cannot read training data: ${rows.length} questions, at most ${MAX_QUESTIONS} are allowed`
    )
  }
  return { columns, records: rows, dropped: { emptyRowCount, headerRowCount, emptyColumns: describeUnnamed(table) } }
}

function readHeader({ names, separator }: CsvHeader): string[] {
  const columns = names.map((name) => name.toLowerCase())
  const missing = REQUIRED_COLUMNS.filter((column) => !columns.includes(column))
  if (missing.length > 0) {
    const found = `${columns.length} columns, separated by ${separatorName(separator)}`
    throw new ServiceError(
      'INVALID_REQUEST',
      `Cannot read training data: the header lacks ${missing.join(' and ')}; it has ${found}`,
      { fields: Object.fromEntries(missing.map((column) => [column, ['required field']])) }
    )
  }
  const repeated = COLUMNS.find((column) => columns.indexOf(column) !== columns.lastIndexOf(column))
  if (repeated !== undefined) {
    throw new ServiceError('INVALID_REQUEST', `Cannot read training data: the header names ${repeated} twice`)
  }
  return columns
}

function problemOf(
  row: TrainingRow,
  cells: number,
  columns: number,
  sameIdLine: number | undefined
): string | undefined {
  if (cells > columns) return `${cells} cells, ${columns} wanted`
  if (row.question === '') return 'no question'
  if (row.answer === '' && row.question !== '_IDLE_') return NO_ANSWER
  if (sameIdLine !== undefined) return `the same id as line ${sameIdLine}`
  if (
    !UTTERANCE_NAME.test(row.question) &&
    [row.question, ...row.paraphrases].every((text) => sanitizeKeepingAccents(text).trim() === '')
  ) {
    return 'no question with a letter or digit, which is all that training keeps'
  }
  return undefined
}

function idOf(question: string): string {
  return createHash('sha256').update(question).digest('hex').slice(0, 24)
}

/** Splits a cell at each unescaped `|`; `\|` is a `|` and `\\` a backslash, any other backslash is itself. */
export function splitList(cell: string): string[] {
  const items = ['']
  for (let i = 0; i < cell.length; i++) {
    const character = cell[i]!
    const next = cell[i + 1]
    if (character === '\\' && (next === '|' || next === '\\')) {
      items.push(items.pop()! + next)
      i += 1
    } else if (character === '|') {
      items.push('')
    } else {
      items.push(items.pop()! + character)
    }
  }
  return items.map((item) => item.trim()).filter((item) => item !== '')
}

/** The inverse of {@link splitList}: escapes each `|`, and a backslash where it would be read as an escape. */
function joinList(items: readonly string[]): string {
  return items.map((item) => item.replace(/\\(?=[\\|]|$)|\|/g, (character) => `\\${character}`)).join('|')
}
