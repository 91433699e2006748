/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { SqliteFile } from '../storage/sqlite-file.ts'
import { numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import type { Mentor } from './mentor.ts'
import type { FoundMentor, MentorEntry, MentorStore, StoredMentor } from './mentor-source.ts'

/*
 * Texts have a separate table, so that the revision, which every question reads, is in a short row. They are split into
 * parts: writing one row of 50 MB would block the thread and other processes for a quarter of a second. A text is in
 * use when a row of `mentors` refers to it.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS mentors (
    id TEXT PRIMARY KEY,
    name TEXT,
    answer_count INTEGER NOT NULL,
    revision TEXT NOT NULL,
    text_id TEXT NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS mentor_text_parts (
    text_id TEXT NOT NULL,
    part INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (text_id, part)
  ) STRICT;
`

const PART_BYTES = 512 * 1024
/** Age from which an unused text is deleted: the process that wrote it has ended before it was done. */
const UNFINISHED_MS = 24 * 60 * 60_000

/** Mentor store in a SQLite file. */
export class SqliteMentorStore implements MentorStore {
  readonly #file: SqliteFile
  readonly #wallMs: () => number

  /** @param wallMs milliseconds since 1970 */
  constructor(file: SqliteFile, wallMs: () => number = Date.now) {
    this.#file = file
    this.#wallMs = wallMs
    file.define(SCHEMA)
    file.transact(false, () => {
      file.run(
        'DELETE FROM mentor_text_parts WHERE written_at < ? AND text_id NOT IN (SELECT text_id FROM mentors)',
        wallMs() - UNFINISHED_MS
      )
    })
  }

  async revisionOf(id: string): Promise<string | undefined> {
    const row = this.#file.recall('SELECT revision FROM mentors WHERE id = ?', id)
    return row && textIn(row, 'revision')
  }

  async find(id: string): Promise<FoundMentor | undefined> {
    const found = await this.readJson(id)
    if (found === undefined) return undefined
    const mentor: Mentor = JSON.parse(new TextDecoder().decode(found.json))
    return { mentor, gradedQuestions: [], revision: found.revision, byteLength: found.json.byteLength }
  }

  async readJson(id: string): Promise<Pick<StoredMentor, 'json' | 'revision'> | undefined> {
    // One statement, so that no other process can replace the text between its parts.
    const rows = this.#file.all(
      'SELECT revision, bytes FROM mentors JOIN mentor_text_parts USING (text_id) WHERE id = ? ORDER BY part',
      id
    )
    const [first] = rows
    return first && { json: joined(rows), revision: textIn(first, 'revision') }
  }

  async list(): Promise<readonly MentorEntry[]> {
    return this.#file.all('SELECT * FROM mentors ORDER BY id').map((row) => entryOf(row))
  }

  async put(id: string, mentor: StoredMentor, expected?: string | null): Promise<boolean> {
    const textId = randomUUID()
    for (let part = 0; part === 0 || part * PART_BYTES < mentor.json.byteLength; part += 1) {
      const bytes = mentor.json.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)
      this.#file.transact(true, () => {
        this.#file.run('INSERT INTO mentor_text_parts VALUES (?, ?, ?, ?)', textId, part, this.#wallMs(), bytes)
      })
      await nextTurn()
    }
    const { isPut, unusedTextId } = this.#file.transact(true, () => {
      const before = this.#row(id)
      const revision = before === undefined ? null : textIn(before, 'revision')
      if (expected !== undefined && expected !== revision) return { isPut: false, unusedTextId: textId }
      this.#file.run(
        'REPLACE INTO mentors (id, name, answer_count, revision, text_id, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
        id,
        mentor.name ?? null,
        mentor.answerCount,
        mentor.revision,
        textId,
        this.#wallMs()
      )
      return { isPut: true, unusedTextId: before && textIn(before, 'text_id') }
    })
    if (unusedTextId !== undefined) this.#deleteText(unusedTextId)
    return isPut
  }

  async delete(id: string): Promise<boolean> {
    const textId = this.#file.transact(true, () => {
      const row = this.#row(id)
      this.#file.run('DELETE FROM mentors WHERE id = ?', id)
      return row && textIn(row, 'text_id')
    })
    if (textId !== undefined) this.#deleteText(textId)
    return textId !== undefined
  }

  #row(id: string): StoredRecord | undefined {
    return this.#file.get('SELECT * FROM mentors WHERE id = ?', id)
  }

  #deleteText(textId: string): void {
    this.#file.transact(false, () => this.#file.run('DELETE FROM mentor_text_parts WHERE text_id = ?', textId))
  }
}

/** Migrates files of the first version, in which another table has the text of each mentor as one row. */
export function splitMentorTexts(file: SqliteFile): void {
  if (file.get("SELECT 1 FROM sqlite_master WHERE name = 'mentor_texts'") === undefined) return
  file.run('ALTER TABLE mentors RENAME TO mentors_before')
  for (const table of SCHEMA.split(';')) if (table.trim() !== '') file.run(table)
  file.run('INSERT INTO mentor_text_parts SELECT id, 0, ?, CAST(json AS BLOB) FROM mentor_texts', Date.now())
  file.run(
    'INSERT INTO mentors SELECT id, name, answer_count, revision, id, updated_at FROM mentors_before JOIN mentor_texts USING (id)'
  )
  file.run('DROP TABLE mentors_before')
  file.run('DROP TABLE mentor_texts')
}

function joined(rows: readonly StoredRecord[]): Uint8Array<ArrayBuffer> {
  const parts = rows.map(({ bytes }) => (bytes instanceof Uint8Array ? bytes : new Uint8Array()))
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
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
