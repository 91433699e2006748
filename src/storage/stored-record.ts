/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'

/** One stored record, as a database gives it back: what it holds is checked when it is read. */
export type StoredRecord = Readonly<Record<string, unknown>>

/** @throws AssertionError when the field holds no text */
export function textIn(record: StoredRecord, name: string): string {
  const value = record[name]
  assert(typeof value === 'string', `Field ${name} holds no text; this is a bug`)
  return value
}

/** @throws AssertionError when the field holds no number */
export function numberIn(record: StoredRecord, name: string): number {
  const value = record[name]
  assert(typeof value === 'number', `Field ${name} holds no number; this is a bug`)
  return value
}

/** @throws AssertionError when the field holds none of the names */
export function nameIn<T extends string>(names: readonly T[], record: StoredRecord, name: string): T {
  const found = names.find((each) => each === record[name])
  assert(found !== undefined, `Field ${name} holds an unknown name; this is a bug`)
  return found
}

/** What `read` finds, or `undefined` when the field is empty or not there. */
export function optionalIn<T>(
  record: StoredRecord,
  name: string,
  read: (record: StoredRecord, name: string) => T
): T | undefined {
  return record[name] === null || record[name] === undefined ? undefined : read(record, name)
}
