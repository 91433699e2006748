/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from '../storage/private-file.ts'
import type { SqliteFile } from '../storage/sqlite-file.ts'
import { nameIn, numberIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import type { ModelBytes } from '../learning/classifier-model.ts'
import {
  modelHashOf,
  type LiveChange,
  type ModelStore,
  type ModelVersion,
  type NewVersion,
  type VersionDetails
} from './model-store.ts'
import { CHANGE_KINDS, type VersionChange } from './version-change.ts'
import type { Judgement } from '../learning/judgement.ts'

/*
 * Promotions that no rollback has undone, newest first, are the versions to roll back to. `model_numbers` has the last number
 * of each name that was deleted.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS model_versions (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    job_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (name, version),
    UNIQUE (name, job_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS model_versions_by_file ON model_versions (file);
  CREATE TABLE IF NOT EXISTS model_reports (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    report TEXT NOT NULL,
    judgements TEXT NOT NULL,
    PRIMARY KEY (name, version)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS model_changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    is_undone INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS model_changes_of_name ON model_changes (name, seq);
  CREATE TABLE IF NOT EXISTS model_numbers (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
  ) STRICT;
`

/** Options of {@link SqliteModelStore}. */
export interface SqliteModelStoreOptions {
  readonly file: SqliteFile
  /** Folder of the models' files; created when missing. */
  readonly folder: string
  /**
   * Maximum number of versions of one name. Older ones are deleted, except the live one and the one that a rollback
   * would make live.
   */
  readonly maxVersions: number
  /** Milliseconds since 1970. */
  readonly wallMs?: () => number
}

const FILE_ENDING = '.model'

/**
 * Model store with versions in a SQLite file and models in files beside it. Model files are named by their content:
 * versions with the same bytes share one file, which is deleted with the last of them.
 */
export class SqliteModelStore implements ModelStore {
  readonly #file: SqliteFile
  readonly #folder: string
  readonly #maxVersions: number
  readonly #wallMs: () => number

  constructor({ file, folder, maxVersions, wallMs = Date.now }: SqliteModelStoreOptions) {
    this.#file = file
    this.#folder = folder
    this.#maxVersions = maxVersions
    this.#wallMs = wallMs
    file.define(SCHEMA)
  }

  async add(name: string, { details, model, reportJson, judgements }: NewVersion): Promise<ModelVersion> {
    const known = this.#ofJob(name, details.jobId)
    if (known !== undefined) return known
    const modelHash = modelHashOf(model)
    const fileName = modelHash + FILE_ENDING
    for (;;) {
      // The file is written before the row that refers to it: a crash between the two leaves an unused file.
      await this.#write(fileName, model)
      const added = this.#addRow(name, { details, reportJson, judgements }, modelHash)
      if (added === undefined) continue
      this.#removeUnused([fileName, ...added.dropped])
      return added.version
    }
  }

  /** @returns undefined when the file was deleted meanwhile, with another version of the same bytes */
  #addRow(
    name: string,
    { details, reportJson, judgements }: Omit<NewVersion, 'model'>,
    modelHash: string
  ): { version: ModelVersion; dropped: readonly string[] } | undefined {
    const fileName = modelHash + FILE_ENDING
    return this.#file.transact(true, () => {
      const earlier = this.#ofJob(name, details.jobId)
      if (earlier !== undefined) return { version: earlier, dropped: [] }
      if (!existsSync(join(this.#folder, fileName))) return undefined
      const number = this.#lastNumber(name) + 1
      const added: ModelVersion = { ...details, version: number, modelHash, createdAtMs: this.#wallMs() }
      this.#file.run(
        'INSERT INTO model_versions (name, version, job_id, created_at, details, file) VALUES (?, ?, ?, ?, ?, ?)',
        name,
        number,
        details.jobId,
        added.createdAtMs,
        JSON.stringify(details),
        fileName
      )
      this.#file.run(
        'INSERT INTO model_reports (name, version, report, judgements) VALUES (?, ?, ?, ?)',
        name,
        number,
        reportJson,
        JSON.stringify(judgements)
      )
      return { version: added, dropped: this.#dropOldest(name) }
    })
  }

  async names(): Promise<readonly string[]> {
    return this.#file.all('SELECT DISTINCT name FROM model_versions ORDER BY name').map((row) => textIn(row, 'name'))
  }

  async liveVersion(name: string): Promise<number | undefined> {
    return this.#live(name)
  }

  async versions(name: string): Promise<readonly ModelVersion[]> {
    return this.#file
      .all('SELECT * FROM model_versions WHERE name = ? ORDER BY version DESC', name)
      .map((row) => versionOf(row))
  }

  async find(name: string, version: number): Promise<ModelVersion | undefined> {
    const row = this.#file.get('SELECT * FROM model_versions WHERE name = ? AND version = ?', name, version)
    return row && versionOf(row)
  }

  async read(name: string, version: number): Promise<ModelBytes | undefined> {
    const row = this.#file.get('SELECT file FROM model_versions WHERE name = ? AND version = ?', name, version)
    return row && readFile(join(this.#folder, textIn(row, 'file')))
  }

  async report(name: string, version: number): Promise<string | undefined> {
    const row = this.#file.get('SELECT report FROM model_reports WHERE name = ? AND version = ?', name, version)
    return row && textIn(row, 'report')
  }

  async judgements(name: string, version: number): Promise<readonly Judgement[]> {
    const row = this.#file.get('SELECT judgements FROM model_reports WHERE name = ? AND version = ?', name, version)
    if (row === undefined) return []
    const judgements: Judgement[] = JSON.parse(textIn(row, 'judgements'))
    return judgements
  }

  async history(name: string): Promise<readonly VersionChange[]> {
    return this.#file.all('SELECT * FROM model_changes WHERE name = ? ORDER BY seq DESC', name).map((row) => ({
      version: numberIn(row, 'version'),
      kind: nameIn(CHANGE_KINDS, row, 'kind'),
      atMs: numberIn(row, 'at'),
      by: textIn(row, 'by')
    }))
  }

  async promote(name: string, version: number, by: string): Promise<LiveChange> {
    return this.#file.transact(true, () => {
      if (this.#file.get('SELECT 1 FROM model_versions WHERE name = ? AND version = ?', name, version) === undefined) {
        return { outcome: 'missing' }
      }
      if (this.#live(name) !== version) this.#change(name, version, 'PROMOTED', by)
      return { outcome: 'changed', version }
    })
  }

  async rollBack(name: string, by: string): Promise<LiveChange> {
    return this.#file.transact(true, () => {
      const [latest, before] = this.#wayBack(name)
      if (latest === undefined || before === undefined) return { outcome: 'missing' }
      this.#file.run('UPDATE model_changes SET is_undone = 1 WHERE seq = ?', numberIn(latest, 'seq'))
      const version = numberIn(before, 'version')
      this.#change(name, version, 'ROLLED_BACK', by)
      return { outcome: 'changed', version }
    })
  }

  async deleteAll(name: string): Promise<void> {
    const files = this.#file.transact(true, () => {
      const rows = this.#file.all('SELECT file FROM model_versions WHERE name = ?', name)
      const last = this.#lastNumber(name)
      if (last > 0) this.#file.run('INSERT OR REPLACE INTO model_numbers (name, last) VALUES (?, ?)', name, last)
      for (const table of ['model_versions', 'model_reports', 'model_changes']) {
        this.#file.run(`DELETE FROM ${table} WHERE name = ?`, name)
      }
      return rows.map((row) => textIn(row, 'file'))
    })
    this.#removeUnused(files)
  }

  #live(name: string): number | undefined {
    const row = this.#file.recall('SELECT version FROM model_changes WHERE name = ? ORDER BY seq DESC LIMIT 1', name)
    return row && numberIn(row, 'version')
  }

  #ofJob(name: string, jobId: string): ModelVersion | undefined {
    const row = this.#file.get('SELECT * FROM model_versions WHERE name = ? AND job_id = ?', name, jobId)
    return row && versionOf(row)
  }

  /** Promotions that no rollback has undone, newest first. */
  #wayBack(name: string): StoredRecord[] {
    return this.#file.all(
      `SELECT seq, version FROM model_changes WHERE name = ? AND kind = 'PROMOTED' AND is_undone = 0 ORDER BY seq DESC`,
      name
    )
  }

  /** The highest number so far, also of deleted versions; 0 when there was none. */
  #lastNumber(name: string): number {
    const row = this.#file.get(
      `SELECT max(
        coalesce((SELECT max(version) FROM model_versions WHERE name = ?1), 0),
        coalesce((SELECT max(version) FROM model_changes WHERE name = ?1), 0),
        coalesce((SELECT last FROM model_numbers WHERE name = ?1), 0)
      ) AS value`,
      name
    )
    return numberIn(row ?? {}, 'value')
  }

  #change(name: string, version: number, kind: VersionChange['kind'], by: string): void {
    this.#file.run(
      'INSERT INTO model_changes (name, version, kind, at, by) VALUES (?, ?, ?, ?, ?)',
      name,
      version,
      kind,
      this.#wallMs(),
      by
    )
  }

  /** @returns the files of the deleted versions */
  #dropOldest(name: string): string[] {
    const rows = this.#file.all('SELECT version, file FROM model_versions WHERE name = ? ORDER BY version DESC', name)
    const live = this.#live(name)
    const [, target] = this.#wayBack(name)
    const needed = new Set([live, target && numberIn(target, 'version')])
    const dropped = rows.slice(this.#maxVersions).filter((row) => !needed.has(numberIn(row, 'version')))
    for (const row of dropped) {
      const version = numberIn(row, 'version')
      this.#file.run('DELETE FROM model_versions WHERE name = ? AND version = ?', name, version)
      this.#file.run('DELETE FROM model_reports WHERE name = ? AND version = ?', name, version)
      // Nobody can roll back to a deleted version.
      this.#file.run('UPDATE model_changes SET is_undone = 1 WHERE name = ? AND version = ?', name, version)
    }
    return dropped.map((row) => textIn(row, 'file'))
  }

  async #write(name: string, model: ModelBytes): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: PRIVATE_FOLDER_MODE })
    const unfinished = join(this.#folder, `${randomUUID()}.unfinished`)
    const file = await open(unfinished, 'wx', PRIVATE_FILE_MODE)
    try {
      await file.writeFile(model)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, join(this.#folder, name))
    const folder = await open(this.#folder)
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  /** Removes files that no version refers to. The transaction keeps others from adding such a version meanwhile. */
  #removeUnused(files: readonly string[]): void {
    this.#file.transact(false, () => {
      for (const file of files) {
        if (this.#file.get('SELECT 1 FROM model_versions WHERE file = ? LIMIT 1', file) === undefined) {
          rmSync(join(this.#folder, file), { force: true })
        }
      }
    })
  }
}

function versionOf(row: StoredRecord): ModelVersion {
  const details: VersionDetails = JSON.parse(textIn(row, 'details'))
  return {
    ...details,
    version: numberIn(row, 'version'),
    modelHash: textIn(row, 'file').slice(0, -FILE_ENDING.length),
    createdAtMs: numberIn(row, 'created_at')
  }
}
