/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A mentor's lists without items that were never recorded. */
export interface RecordedLists {
  readonly mentor: object
  /** Number of answers that were left out. */
  readonly leftOutCount: number
  /** Original position of an item of a list: `positionOf('answers', 3)`. */
  readonly positionOf: (list: string, index: number) => number
}

const ANSWER_LISTS = ['answers', 'orphanedCompleteAnswers'] as const

/**
 * Removes items that were never recorded from a mentor's lists. Platforms list an answer for each question: its id is
 * null until it is recorded, and its question is null when that was deleted. Null items and deleted listed questions
 * are removed too. Everything else stays, whatever its shape.
 */
export function recordedListsOf(mentor: object): RecordedLists {
  const positions = new Map<string, readonly number[]>()
  let leftOutCount = 0
  const left: Record<string, unknown> = { ...mentor }
  for (const list of [...ANSWER_LISTS, 'questions']) {
    const items = left[list]
    if (!Array.isArray(items)) continue
    const isKept = list === 'questions' ? isListed : isRecorded
    const kept = [...items.keys()].filter((index) => isKept(items[index]))
    if (kept.length === items.length) continue
    if (list !== 'questions') leftOutCount += items.length - kept.length
    positions.set(list, kept)
    left[list] = kept.map((index): unknown => items[index])
  }
  return { mentor: left, leftOutCount, positionOf: (list, index) => positions.get(list)?.[index] ?? index }
}

/**
 * Whether an item of a list of answers has an id and a question. Items that are not objects are another kind of fault.
 */
function isRecorded(answer: unknown): boolean {
  const question = memberOf(answer, 'question')
  return isThere(memberOf(answer, '_id')) && isThere(question) && memberOf(question, '_id') !== null
}

function isListed(entry: unknown): boolean {
  return isThere(memberOf(memberOf(entry, 'question'), '_id'))
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** A member of an object; of anything else the value itself, which is not absent and whose shape is checked later. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}
