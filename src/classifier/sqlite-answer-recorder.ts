/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUIDv7 } from 'node:crypto'

import type { SqliteFile } from '../sqlite-file.ts'
import { nameIn, numberIn, optionalIn, textIn } from '../stored-record.ts'
import type { AnswerRecord, AnswerRecorder, AskedQuestion, AskedQuestions } from './answer-record.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS asked_questions (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    mentor TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    answer_type TEXT NOT NULL,
    confidence REAL NOT NULL,
    margin REAL,
    chat_session TEXT,
    asked_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS asked_questions_of_mentor ON asked_questions (mentor, seq);
  CREATE INDEX IF NOT EXISTS unmatched_questions_of_mentor ON asked_questions (mentor, seq)
    WHERE answer_type IN ('CLASSIFIER', 'OFF_TOPIC');
`

const UNMATCHED_TYPES = ['CLASSIFIER', 'OFF_TOPIC'] as const

/** How long records gather before they are written together: so long a crash may take them away. */
const GATHER_MS = 100

/** How to open a {@link SqliteAnswerRecorder}. */
export interface SqliteAnswerRecorderOptions {
  readonly file: SqliteFile
  /** Beyond so many records the oldest leave. */
  readonly maxRecords: number
  /** Told when records could not be written; they are lost then. */
  readonly onError: (error: unknown) => void
}

/** Records in a SQLite file. An answer does not wait for its record to be written. */
export class SqliteAnswerRecorder implements AnswerRecorder, AskedQuestions {
  readonly #options: SqliteAnswerRecorderOptions
  #gathered: (AnswerRecord & { readonly id: string; readonly askedAtMs: number })[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: SqliteAnswerRecorderOptions) {
    this.#options = options
    options.file.define(SCHEMA)
    addMargin(options.file)
  }

  async record(answer: AnswerRecord): Promise<string> {
    const id = randomUUIDv7()
    this.#gathered.push({ ...answer, id, askedAtMs: Date.now() })
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS)
    return id
  }

  async askedOf(mentorId: string, limit: number): Promise<readonly AskedQuestion[]> {
    this.flush()
    return this.#options.file
      .all(
        `SELECT question, answer_type, confidence, margin, asked_at FROM asked_questions
         WHERE mentor = ? AND answer_type IN ('CLASSIFIER', 'OFF_TOPIC') ORDER BY seq DESC LIMIT ?`,
        mentorId,
        limit
      )
      .map((row) => ({
        question: textIn(row, 'question'),
        answerType: nameIn(UNMATCHED_TYPES, row, 'answer_type'),
        confidence: numberIn(row, 'confidence'),
        margin: optionalIn(row, 'margin', numberIn),
        askedAtMs: numberIn(row, 'asked_at')
      }))
  }

  /** Forgets what a mentor was asked. */
  deleteOf(mentorId: string): void {
    this.flush()
    this.#options.file.transact(true, () => {
      this.#options.file.run('DELETE FROM asked_questions WHERE mentor = ?', mentorId)
    })
  }

  /** Writes what has gathered. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const records = this.#gathered
    this.#gathered = []
    if (records.length === 0) return
    const { file, maxRecords, onError } = this.#options
    try {
      file.transact(false, () => {
        for (const one of records) {
          file.run(
            `INSERT INTO asked_questions
               (id, mentor, question, answer, answer_type, confidence, margin, chat_session, asked_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
            one.id,
            one.mentorId,
            one.question,
            one.answerId,
            one.answerType,
            one.confidence,
            one.margin ?? null,
            one.chatSessionId ?? null,
            one.askedAtMs
          )
        }
        file.run('DELETE FROM asked_questions WHERE seq <= (SELECT max(seq) FROM asked_questions) - ?', maxRecords)
      })
    } catch (error) {
      onError(error)
    }
  }
}

/** Files of a version that recorded no margins have no column for them. */
function addMargin(file: SqliteFile): void {
  file.transact(false, () => {
    const columns = file.all('PRAGMA table_info(asked_questions)').map((row) => textIn(row, 'name'))
    if (!columns.includes('margin')) file.run('ALTER TABLE asked_questions ADD COLUMN margin REAL')
  })
}
