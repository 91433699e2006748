/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import type { SqliteFile } from '../storage/sqlite-file.ts'
import { numberIn, optionalIn, textIn } from '../storage/stored-record.ts'
import { MAX_GRADES, type GradeStore, type QuestionGrade } from './graded-questions.ts'
import { sanitize } from './sanitize.ts'

/* A grade that replaces another gets a new `seq`, so the largest `seq` of a mentor changes with every grade. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS question_grades (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mentor TEXT NOT NULL,
    sanitized TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT,
    graded_by TEXT NOT NULL,
    graded_at INTEGER NOT NULL,
    UNIQUE (mentor, sanitized)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS question_grades_of_mentor ON question_grades (mentor, seq);
`

/** Grade store in a SQLite file. */
export class SqliteGradeStore implements GradeStore {
  readonly #file: SqliteFile

  constructor(file: SqliteFile) {
    this.#file = file
    file.define(SCHEMA)
  }

  async revisionOf(mentorId: string): Promise<string | undefined> {
    const row = this.#file.recall('SELECT max(seq) AS latest FROM question_grades WHERE mentor = ?', mentorId)
    const latest = row && optionalIn(row, 'latest', numberIn)
    return latest === undefined ? undefined : String(latest)
  }

  async gradesOf(mentorId: string): Promise<readonly QuestionGrade[]> {
    return this.#file
      .all('SELECT question, answer FROM question_grades WHERE mentor = ? ORDER BY seq DESC', mentorId)
      .map((row) => ({ question: textIn(row, 'question'), answerId: optionalIn(row, 'answer', textIn) }))
  }

  async grade(mentorId: string, grades: readonly QuestionGrade[], by: string): Promise<void> {
    this.#file.transact(true, () => {
      for (const { question, answerId } of grades) {
        this.#file.run(
          `REPLACE INTO question_grades (mentor, sanitized, question, answer, graded_by, graded_at)
           VALUES (?, ?, ?, ?, ?, ?)`,
          mentorId,
          sanitize(question),
          question,
          answerId ?? null,
          by,
          Date.now()
        )
      }
      const row = this.#file.get('SELECT count(*) AS kept FROM question_grades WHERE mentor = ?', mentorId)
      if (row !== undefined && numberIn(row, 'kept') > MAX_GRADES) {
        throw new ServiceError('CONFLICT', `Cannot grade: a mentor has at most ${MAX_GRADES} graded questions`)
      }
    })
  }

  async deleteOf(mentorId: string): Promise<void> {
    this.#file.transact(true, () => this.#file.run('DELETE FROM question_grades WHERE mentor = ?', mentorId))
  }
}
