/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'

/** A record as a database returns it; its fields are checked when they are read. */
export type StoredRecord = Readonly<Record<string, unknown>>

/** Reads a text field. @throws AssertionError when it holds no text */
export function textIn(record: StoredRecord, name: string): string {
  const value = record[name]
  assert(typeof value === 'string', `Field ${name} holds no text; this is a bug`)
  return value
}

/** Reads a numeric field. @throws AssertionError when it holds no number */
export function numberIn(record: StoredRecord, name: string): number {
  const value = record[name]
  assert(typeof value === 'number', `Field ${name} holds no number; this is a bug`)
  return value
}

/** Reads a field that holds one of some names. @throws AssertionError when it holds none of them */
export function nameIn<T extends string>(names: readonly T[], record: StoredRecord, name: string): T {
  const found = names.find((each) => each === record[name])
  assert(found !== undefined, `Field ${name} holds an unknown name; this is a bug`)
  return found
}

/** Reads a field with `read`; `undefined` when it is null or missing. */
export function optionalIn<T>(
  record: StoredRecord,
  name: string,
  read: (record: StoredRecord, name: string) => T
): T | undefined {
  return record[name] === null || record[name] === undefined ? undefined : read(record, name)
}
