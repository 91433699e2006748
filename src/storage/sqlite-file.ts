/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DatabaseSync, type SQLInputValue, type StatementResultingChanges, type StatementSync } from 'node:sqlite'

import { ServiceError } from '../errors.ts'
import { makePrivateDatabase } from './private-file.ts'
import { numberIn, type StoredRecord } from './stored-record.ts'

/** Short, since a waiting statement blocks its thread, which mostly is the main one with all its replies. */
const BUSY_TIMEOUT_MS = 250

/** Opening happens once, at start, where a long wait is better than a failure. */
const OPEN_TIMEOUT_MS = 10_000
const OPEN_RETRY_MS = 5

/** Maximum length of a value, in characters or bytes, whose prepared statement is kept in the cache. */
const MAX_KEPT_VALUE = 65_536

/** Maximum number of rows that {@link SqliteFile.recall} keeps. */
const MAX_RECALLED_ROWS = 10_000

/**
 * SQLite's result codes (https://www.sqlite.org/rescode.html) that stand for the state of the machine, not for a bug:
 * PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
 */
const MACHINE_CODES: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26])
const BUSY_CODE = 5
const FULL_CODE = 13
const TOO_BIG_CODE = 18

const MAY_NOT = 'this user may not create, read or write it'
const NO_DATABASE = 'it is damaged, or no SQLite database'
/** Plain reasons why a file cannot be opened, by SQLite's result codes and by those of the file system. */
const OPEN_FAILURES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [8, MAY_NOT],
  [14, MAY_NOT],
  ['EACCES', MAY_NOT],
  ['EPERM', MAY_NOT],
  ['EROFS', 'the file system is read-only'],
  // Node.js says this of a folder that it cannot create on a read-only file system.
  ['ENOENT', 'its folder cannot be created, as on a read-only file system'],
  ['EEXIST', 'a file is where its folder should be'],
  ['ENOTDIR', 'a file is where its folder should be'],
  [FULL_CODE, 'the disk is full'],
  ['ENOSPC', 'the disk is full'],
  [11, NO_DATABASE],
  [26, NO_DATABASE]
])

/** Why a statement failed: no space, a value beyond SQLite's limit, or another state of the machine. Any other failure is a bug. */
export type SqliteFault = 'full' | 'too-big' | 'machine'

/** Migrates a file's tables from one version to the next. */
export type Migration = (file: SqliteFile) => void

/**
 * A SQLite file that several processes may open. All operations are synchronous, so it is for stores whose operations are
 * short. Each store creates its own tables with {@link SqliteFile.define}.
 */
export class SqliteFile {
  readonly #database: DatabaseSync
  readonly #busyTimeoutMs: number
  readonly #statements = new Map<string, StatementSync>()
  readonly #recalled = new Map<string, Map<string, StoredRecord | undefined>>()
  #recalledCount = 0
  /** `PRAGMA data_version` when the recalled rows were read. */
  #recalledVersion: number | undefined
  #isVersionChecked = false

  /**
   * @param path the file; it and its folder are created when missing
   * @param busyTimeoutMs how long a statement waits for another process's write
   * @throws {ServiceError} UNAVAILABLE when the file cannot be created, read or written
   */
  constructor(path: string, busyTimeoutMs: number = BUSY_TIMEOUT_MS) {
    this.#busyTimeoutMs = busyTimeoutMs
    this.#database = openDatabase(path, busyTimeoutMs)
  }

  /** Creates missing tables. */
  define(schema: string): void {
    this.#patiently(() => this.#database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`))
  }

  /**
   * Migrates a file of an earlier version: runs the steps that it has not had, in order and in one transaction.
   * `PRAGMA user_version` is the number of steps that it has had. Must be called before {@link SqliteFile.define}, so a step
   * must work in a new file, which has no tables.
   */
  migrate(steps: readonly Migration[]): void {
    if (this.pragma('user_version') >= steps.length) return
    this.#patiently(() =>
      this.transact(true, () => {
        // Read again: another process may have migrated the file meanwhile.
        for (const step of steps.slice(this.pragma('user_version'))) step(this)
        this.run(`PRAGMA user_version = ${steps.length}`)
      })
    )
  }

  /**
   * Runs operations as one transaction: all of them happen, or none.
   * @param isDurable whether the commit waits for the disk (one fsync); otherwise a power loss may undo the last commits, but
   *   a crash of the process cannot
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

  /** Like {@link SqliteFile.transact}, but throws SQLite's errors unchanged; {@link sqliteFaultOf} classifies them. */
  atomically<T>(isDurable: boolean, work: () => T): T {
    this.#database.exec(isDurable ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL')
    this.#database.exec('BEGIN IMMEDIATE')
    // What is read from here on must hold until the commit.
    this.#isVersionChecked = false
    try {
      const value = work()
      this.#database.exec('COMMIT')
      return value
    } catch (error) {
      // What was read within the transaction holds no longer.
      this.#forgetRecalled()
      // After some errors, such as a full disk, SQLite has already rolled back.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** Reads a numeric pragma (https://www.sqlite.org/pragma.html), after setting it if a value is given. */
  pragma(name: string, value?: number): number {
    return numberIn(this.get(`PRAGMA ${name}${value === undefined ? '' : ` = ${value}`}`) ?? {}, name)
  }

  /** Returns the first row. */
  get(sql: string, ...values: SQLInputValue[]): StoredRecord | undefined {
    const statement = this.#prepare(sql)
    try {
      return statement.get(...values)
    } finally {
      this.#keepUnlessLarge(sql, statement, values)
    }
  }

  /**
   * Returns the first row as {@link SqliteFile.get} does, for rows that are read often and seldom change: a row is read again
   * only once anything in the file has changed, by this connection or another one, also of another process. Whether another
   * one has changed it is checked once for all calls of one callback of the event loop: none of them comes from a later request.
   * @param key the only value of the statement
   */
  recall(sql: string, key: string): StoredRecord | undefined {
    if (!this.#isVersionChecked) this.#checkVersion()
    let rows = this.#recalled.get(sql)
    if (rows === undefined) this.#recalled.set(sql, (rows = new Map()))
    const known = rows.get(key)
    if (known !== undefined || rows.has(key)) return known
    const row = this.get(sql, key)
    rows.set(key, row)
    this.#recalledCount += 1
    return row
  }

  /** Returns all rows. */
  all(sql: string, ...values: SQLInputValue[]): StoredRecord[] {
    const statement = this.#prepare(sql)
    try {
      return statement.all(...values)
    } finally {
      this.#keepUnlessLarge(sql, statement, values)
    }
  }

  /** @returns the number of changed rows */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#change(sql, values).changes)
  }

  /** @returns the new row's `rowid` */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#change(sql, values).lastInsertRowid)
  }

  close(): void {
    this.#database.close()
  }

  /** Runs a part of opening, which waits longer for other processes than a statement does. */
  #patiently(work: () => void): void {
    this.#database.exec(`PRAGMA busy_timeout = ${OPEN_TIMEOUT_MS}`)
    try {
      work()
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`)
    }
  }

  #checkVersion(): void {
    // Changes when another connection has changed the file; #change tells of this one.
    const version = this.pragma('data_version')
    if (version !== this.#recalledVersion || this.#recalledCount >= MAX_RECALLED_ROWS) this.#forgetRecalled()
    this.#recalledVersion = version
    this.#isVersionChecked = true
    // Runs after the callback and its microtasks, before the next callback.
    process.nextTick(() => {
      this.#isVersionChecked = false
    })
  }

  #forgetRecalled(): void {
    this.#recalled.clear()
    this.#recalledCount = 0
  }

  #change(sql: string, values: readonly SQLInputValue[]): StatementResultingChanges {
    this.#forgetRecalled()
    const statement = this.#prepare(sql)
    try {
      return statement.run(...values)
    } finally {
      this.#keepUnlessLarge(sql, statement, values)
    }
  }

  /** Keeps a used statement in the cache, unless a value was large: a statement keeps copies of its last values. */
  #keepUnlessLarge(
    sql: string,
    statement: StatementSync & Partial<Disposable>,
    values: readonly SQLInputValue[]
  ): void {
    // Each statement gets here, some with twenty values.
    for (const value of values) {
      if (!isLarge(value)) continue
      this.#statements.delete(sql)
      // In Node.js 24, without dispose, the garbage collector frees it.
      statement[Symbol.dispose]?.()
      return
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

function openDatabase(path: string, timeout: number): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    makePrivateDatabase(path)
    database = new DatabaseSync(path, { timeout })
    switchToWal(database)
    return database
  } catch (error) {
    database?.close()
    throw new ServiceError('UNAVAILABLE', `Cannot open the database ${path}: ${describeOpenFailure(error)}`, {
      cause: error
    })
  }
}

/** Why a database or its folder could not be opened, in plain words where the reason is known. */
export function describeOpenFailure(error: unknown): string {
  const code = primaryCodeOf(error) ?? (error instanceof Error && 'code' in error ? error.code : undefined)
  const known = OPEN_FAILURES.get(code)
  const message = error instanceof Error ? error.message : String(error)
  return known === undefined ? message : `${known} (${message})`
}

/**
 * Switches a file to write-ahead logging. When several processes switch a new file at the same moment, SQLite refuses all but
 * one immediately, despite the busy timeout, to avoid a deadlock; so the switch is retried.
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

/** Primary result code of an SQLite error, which is the low byte of the extended code; `undefined` for any other error. */
function primaryCodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
}

/** Classifies an error of SQLite; `undefined` for a bug or any other error. */
export function sqliteFaultOf(error: unknown): SqliteFault | undefined {
  const code = primaryCodeOf(error)
  if (code === undefined) return undefined
  if (code === FULL_CODE) return 'full'
  if (code === TOO_BIG_CODE) return 'too-big'
  return MACHINE_CODES.has(code) ? 'machine' : undefined
}
