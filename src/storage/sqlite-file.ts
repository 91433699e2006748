/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

import { ServiceError } from '../errors.ts'
import { makePrivateDatabase } from './private-file.ts'
import type { StoredRecord } from './stored-record.ts'

/** How long a statement waits for another process's write. */
const BUSY_TIMEOUT_MS = 5000

/**
 * SQLite's result codes (https://www.sqlite.org/rescode.html) that stand for the state of the machine, not for a bug:
 * PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
 */
const MACHINE_CODES: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26])

/**
 * A SQLite file that several processes may open, for stores whose operations are short: all are synchronous.
 * Each store makes its own tables by {@link SqliteFile.define}.
 */
export class SqliteFile {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  /** @param path the file; it and its folder are made when there is none */
  constructor(path: string) {
    makePrivateDatabase(path)
    this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    this.#database.exec('PRAGMA journal_mode = WAL')
  }

  /** Makes tables that are not there yet. */
  define(schema: string): void {
    this.#database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`)
  }

  /**
   * Runs operations as one transaction: all of them happen, or none.
   * @param isDurable whether the commit waits until the disk has it (one fsync); else a power loss, but no crash, may
   *   undo the last commits
   * @throws {ServiceError} UNAVAILABLE when the file cannot be written, for instance on a full disk
   */
  transact<T>(isDurable: boolean, work: () => T): T {
    try {
      this.#database.exec(isDurable ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL')
      this.#database.exec('BEGIN IMMEDIATE')
      const value = work()
      this.#database.exec('COMMIT')
      return value
    } catch (error) {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      if (!isMachineFault(error)) throw error
      throw new ServiceError('UNAVAILABLE', 'Cannot write to the data folder: its database takes no more', {
        cause: error
      })
    }
  }

  /** The first row. */
  get(sql: string, ...values: SQLInputValue[]): StoredRecord | undefined {
    return this.#prepare(sql).get(...values)
  }

  /** All rows. */
  all(sql: string, ...values: SQLInputValue[]): StoredRecord[] {
    return this.#prepare(sql).all(...values)
  }

  /** @returns how many rows it changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  close(): void {
    this.#database.close()
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

function isMachineFault(error: unknown): boolean {
  // The low byte is the primary code, the rest says more.
  return error instanceof Error && 'errcode' in error && MACHINE_CODES.has(Number(error.errcode) & 0xff)
}
