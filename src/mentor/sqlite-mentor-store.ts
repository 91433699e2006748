/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'

import { ServiceError } from '../errors.ts'
import type { SqliteFile } from '../sqlite-file.ts'
import { numberIn, optionalIn, textIn, type StoredRecord } from '../stored-record.ts'
import type { Mentor } from './mentor.ts'
import type { FoundMentor, MentorEntry, MentorStore } from './mentor-source.ts'
import { MAX_QUESTIONS } from './training-data.ts'

/* Texts have a table of their own, so that the revision, asked for with every question, is a short row. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS mentors (
    id TEXT PRIMARY KEY,
    name TEXT,
    answer_count INTEGER NOT NULL,
    revision TEXT NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS mentor_texts (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
`

/** Mentors in a SQLite file. */
export class SqliteMentorStore implements MentorStore {
  readonly #file: SqliteFile
  readonly #wallMs: () => number

  /** @param wallMs milliseconds since 1970 */
  constructor(file: SqliteFile, wallMs: () => number = Date.now) {
    this.#file = file
    this.#wallMs = wallMs
    file.define(SCHEMA)
  }

  async revisionOf(id: string): Promise<string | undefined> {
    const row = this.#file.get('SELECT revision FROM mentors WHERE id = ?', id)
    return row && textIn(row, 'revision')
  }

  async find(id: string): Promise<FoundMentor | undefined> {
    return this.#find(id)
  }

  async list(): Promise<readonly MentorEntry[]> {
    return this.#file.all('SELECT * FROM mentors ORDER BY id').map((row) => entryOf(row))
  }

  async update(id: string, change: (before: Mentor | undefined) => Mentor): Promise<FoundMentor> {
    return this.#file.transact(true, () => {
      const mentor = change(this.#find(id)?.mentor)
      const answerCount = (mentor.answers?.length ?? 0) + (mentor.orphanedCompleteAnswers?.length ?? 0)
      if (answerCount > MAX_QUESTIONS) {
        throw new ServiceError(
          'PAYLOAD_TOO_LARGE',
          `Cannot store the mentor: ${answerCount} questions, at most ${MAX_QUESTIONS} are allowed`
        )
      }
      const json = JSON.stringify(mentor)
      const revision = hash('sha256', json, 'base64url')
      this.#file.run(
        'REPLACE INTO mentors (id, name, answer_count, revision, updated_at) VALUES (?, ?, ?, ?, ?)',
        id,
        mentor.name ?? null,
        answerCount,
        revision,
        this.#wallMs()
      )
      this.#file.run('REPLACE INTO mentor_texts (id, json) VALUES (?, ?)', id, json)
      return { mentor, gradedQuestions: [], revision, byteLength: json.length }
    })
  }

  async delete(id: string): Promise<boolean> {
    return this.#file.transact(true, () => {
      this.#file.run('DELETE FROM mentor_texts WHERE id = ?', id)
      return this.#file.run('DELETE FROM mentors WHERE id = ?', id) > 0
    })
  }

  #find(id: string): FoundMentor | undefined {
    const row = this.#file.get('SELECT revision, json FROM mentors JOIN mentor_texts USING (id) WHERE id = ?', id)
    if (row === undefined) return undefined
    const json = textIn(row, 'json')
    const mentor: Mentor = JSON.parse(json)
    return { mentor, gradedQuestions: [], revision: textIn(row, 'revision'), byteLength: json.length }
  }
}

function entryOf(row: StoredRecord): MentorEntry {
  return {
    id: textIn(row, 'id'),
    name: optionalIn(row, 'name', textIn),
    answerCount: numberIn(row, 'answer_count'),
    revision: textIn(row, 'revision'),
    updatedAtMs: numberIn(row, 'updated_at')
  }
}
