/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

import { ServiceError } from '../errors.ts'
import { makePrivateDatabase } from './private-file.ts'
import { numberIn, type StoredRecord } from './stored-record.ts'

/** Statements wait on the thread that calls them, which mostly is the main one: every reply waits with it. */
const BUSY_TIMEOUT_MS = 250

/** Opening happens once, at start: better late than not at all. */
const OPEN_TIMEOUT_MS = 10_000
const OPEN_RETRY_MS = 5

/** Characters or bytes of a value whose statement is kept for the next one. */
const MAX_KEPT_VALUE = 65_536

/**
 * SQLite's result codes (https://www.sqlite.org/rescode.html) that stand for the state of the machine, not for a bug:
 * PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
 */
const MACHINE_CODES: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26])
const BUSY_CODE = 5
const FULL_CODE = 13
const TOO_BIG_CODE = 18

/** What a statement failed for: no room, a value beyond SQLite's limit, or another state of the machine; else it is a bug. */
export type SqliteFault = 'full' | 'too-big' | 'machine'

/** A step from one version of a file's tables to the next. */
export type Migration = (file: SqliteFile) => void

/**
 * A SQLite file that several processes may open, for stores whose operations are short: all are synchronous.
 * Each store makes its own tables by {@link SqliteFile.define}.
 */
export class SqliteFile {
  readonly #database: DatabaseSync
  readonly #busyTimeoutMs: number
  readonly #statements = new Map<string, StatementSync>()

  /**
   * @param path the file; it and its folder are made when there is none
   * @param busyTimeoutMs how long a statement waits for another process's write
   */
  constructor(path: string, busyTimeoutMs: number = BUSY_TIMEOUT_MS) {
    makePrivateDatabase(path)
    this.#busyTimeoutMs = busyTimeoutMs
    this.#database = new DatabaseSync(path, { timeout: busyTimeoutMs })
    try {
      switchToWal(this.#database)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** Makes tables that are not there yet. */
  define(schema: string): void {
    this.#patiently(() => this.#database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`))
  }

  /**
   * Brings a file that an earlier version made up to date: runs the steps that it has not had, in order and in one
   * transaction. `PRAGMA user_version` counts those it has had. To be called before tables are made; a step finds none in
   * a new file, and must bear that.
   */
  migrate(steps: readonly Migration[]): void {
    if (this.pragma('user_version') >= steps.length) return
    this.#patiently(() =>
      this.transact(true, () => {
        // Another process may have been first.
        for (const step of steps.slice(this.pragma('user_version'))) step(this)
        this.run(`PRAGMA user_version = ${steps.length}`)
      })
    )
  }

  /**
   * Runs operations as one transaction: all of them happen, or none.
   * @param isDurable whether the commit waits until the disk has it (one fsync); else a power loss, but no crash, may
   *   undo the last commits
   * @throws {ServiceError} UNAVAILABLE when the file cannot be written, for instance on a full disk
   */
  transact<T>(isDurable: boolean, work: () => T): T {
    try {
      return this.atomically(isDurable, work)
    } catch (error) {
      const fault = sqliteFaultOf(error)
      if (fault === undefined || fault === 'too-big') throw error
      throw new ServiceError('UNAVAILABLE', 'Cannot write to the data folder: its database takes no more', {
        cause: error
      })
    }
  }

  /** As {@link SqliteFile.transact}, but errors of SQLite come as they are ({@link sqliteFaultOf} tells them apart). */
  atomically<T>(isDurable: boolean, work: () => T): T {
    this.#database.exec(isDurable ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL')
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const value = work()
      this.#database.exec('COMMIT')
      return value
    } catch (error) {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** A number that SQLite keeps about the file (https://www.sqlite.org/pragma.html), set first when one is given. */
  pragma(name: string, value?: number): number {
    return numberIn(this.get(`PRAGMA ${name}${value === undefined ? '' : ` = ${value}`}`) ?? {}, name)
  }

  /** The first row. */
  get(sql: string, ...values: SQLInputValue[]): StoredRecord | undefined {
    return this.#use(sql, values, (statement) => statement.get(...values))
  }

  /** All rows. */
  all(sql: string, ...values: SQLInputValue[]): StoredRecord[] {
    return this.#use(sql, values, (statement) => statement.all(...values))
  }

  /** @returns how many rows it changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#use(sql, values, (statement) => statement.run(...values)).changes)
  }

  /** @returns the new row's `rowid` */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#use(sql, values, (statement) => statement.run(...values)).lastInsertRowid)
  }

  close(): void {
    this.#database.close()
  }

  /** Runs what belongs to opening: it waits longer for another process than a statement does. */
  #patiently(work: () => void): void {
    this.#database.exec(`PRAGMA busy_timeout = ${OPEN_TIMEOUT_MS}`)
    try {
      work()
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`)
    }
  }

  /** A statement keeps copies of its last values, so that one with a large value is not kept. */
  #use<Result>(sql: string, values: readonly SQLInputValue[], use: (statement: StatementSync) => Result): Result {
    const statement: StatementSync & Partial<Disposable> = this.#prepare(sql)
    try {
      return use(statement)
    } finally {
      if (values.some(isLarge)) {
        this.#statements.delete(sql)
        // Node.js 24 leaves it to the collection of garbage.
        statement[Symbol.dispose]?.()
      }
    }
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

function isLarge(value: SQLInputValue): boolean {
  return (
    (typeof value === 'string' && value.length > MAX_KEPT_VALUE) ||
    (ArrayBuffer.isView(value) && value.byteLength > MAX_KEPT_VALUE)
  )
}

/**
 * Switches a file to write-ahead logging. When processes switch a new file at the same moment, SQLite refuses all but one
 * at once, whatever the busy timeout is, since each waiting for the others would be a deadlock: the switch is repeated.
 */
function switchToWal(database: DatabaseSync): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  const deadline = performance.now() + OPEN_TIMEOUT_MS
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (primaryCodeOf(error) !== BUSY_CODE || performance.now() > deadline) throw error
      Atomics.wait(pause, 0, 0, OPEN_RETRY_MS)
    }
  }
}

/** SQLite's primary result code: the low byte, the rest says more. `undefined` for any other error. */
function primaryCodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
}

/** Fault that an error of SQLite stands for; `undefined` for any other error. */
export function sqliteFaultOf(error: unknown): SqliteFault | undefined {
  const code = primaryCodeOf(error)
  if (code === undefined) return undefined
  if (code === FULL_CODE) return 'full'
  if (code === TOO_BIG_CODE) return 'too-big'
  return MACHINE_CODES.has(code) ? 'machine' : undefined
}
