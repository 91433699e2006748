/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SqliteFile } from '../storage/sqlite-file.ts'
import { nameIn, numberIn, optionalIn, textIn } from '../storage/stored-record.ts'
import { AnswerWriteBuffer, type BufferedAnswer } from './answer-write-buffer.ts'
import type { AnswerRecord, AnswerRecordStore, AskedQuestion, AskedQuestions } from './answer-record.ts'

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

/** Options of {@link SqliteAnswerRecorder}. */
export interface SqliteAnswerRecorderOptions {
  readonly file: SqliteFile
  /** Maximum number of records; beyond it the oldest are deleted. */
  readonly maxRecords: number
  /** Called when records could not be written yet, or were dropped. */
  readonly onError: (error: unknown) => void
}

/** Stores answer records in a SQLite file. */
export class SqliteAnswerRecorder implements AnswerRecordStore, AskedQuestions {
  readonly #file: SqliteFile
  readonly #maxRecords: number
  readonly #writeBuffer: AnswerWriteBuffer

  constructor({ file, maxRecords, onError }: SqliteAnswerRecorderOptions) {
    this.#file = file
    this.#maxRecords = maxRecords
    this.#writeBuffer = new AnswerWriteBuffer(async (records) => this.#write(records), onError)
    file.define(SCHEMA)
  }

  async record(answer: AnswerRecord): Promise<string> {
    return this.#writeBuffer.add(answer)
  }

  async askedOf(mentorId: string, limit: number): Promise<readonly AskedQuestion[]> {
    await this.flush()
    return this.#file
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

  async deleteOf(mentorId: string): Promise<void> {
    await this.flush()
    this.#file.transact(true, () => {
      this.#file.run('DELETE FROM asked_questions WHERE mentor = ?', mentorId)
    })
  }

  async flush(): Promise<void> {
    await this.#writeBuffer.flush()
  }

  #write(records: readonly BufferedAnswer[]): void {
    this.#file.transact(false, () => {
      for (const one of records) {
        this.#file.run(
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
      this.#file.run(
        'DELETE FROM asked_questions WHERE seq <= (SELECT max(seq) FROM asked_questions) - ?',
        this.#maxRecords
      )
    })
  }
}

/** Migrates files of versions that recorded no margins: adds the column. */
export function addMargins(file: SqliteFile): void {
  const columns = file.all('PRAGMA table_info(asked_questions)').map((row) => textIn(row, 'name'))
  if (columns.length > 0 && !columns.includes('margin')) {
    file.run('ALTER TABLE asked_questions ADD COLUMN margin REAL')
  }
}
