/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A mentor's lists with what is none of theirs left out. */
export interface RecordedLists {
  readonly mentor: object
  /** Answers that were left out. */
  readonly leftOutCount: number
  /** Position that an item of a list had: `positionOf('answers', 3)`. */
  readonly positionOf: (list: string, index: number) => number
}

const ANSWER_LISTS = ['answers', 'orphanedCompleteAnswers'] as const

/**
 * Leaves out of a mentor's lists what was never recorded. A platform lists an answer to each question, also where there is none
 * yet: its id is null. Of others the question is gone. Null, and a listed question that is gone, say nothing either.
 * Everything else stays, whatever its shape.
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

/** Whether an item of a list of answers has an id and a question; what is no object at all is another fault. */
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

/** Of what is no object the thing itself: it is there, and its shape is checked later. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}
