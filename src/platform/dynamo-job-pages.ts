/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Job } from '../jobs/job.ts'
import { isListed, noCursor, type DeadLetterQuery, type JobPage, type JobQuery } from '../jobs/job-backend.ts'
import { numberIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import type { DynamoJobLists } from './dynamo-job-lists.ts'
import { entryKey, jobIn, jobKey } from './dynamo-job-item.ts'

/** Maximum number of entries that one page of a list looks at, and that one query does. */
const MAX_LISTED_ENTRIES = 1000
const LISTED_ENTRIES_A_QUERY = 100

/**
 * Makes a page of jobs, the last enqueued first.
 * @param find returns a job's present state, unless its retention is over
 */
export async function pageOfJobs(
  lists: DynamoJobLists,
  query: JobQuery,
  find: (id: string) => Promise<Job | undefined>
): Promise<JobPage> {
  const jobs: Job[] = []
  let last = query.after === undefined ? undefined : keysIn(query.after, 'ENTRY')
  for (let looked = 0; looked < MAX_LISTED_ENTRIES; looked += LISTED_ENTRIES_A_QUERY) {
    const page = await lists.page('ENTRY', { isLatestFirst: true, limit: LISTED_ENTRIES_A_QUERY, last })
    // An entry holds the fields of its job that never change.
    const entries = page.items.filter(
      (entry) =>
        (query.owner === undefined || entry['owner'] === query.owner) &&
        (query.type === undefined || entry['type'] === query.type)
    )
    const found = await Promise.all(entries.map(async (entry) => find(textIn(entry, 'id'))))
    for (const [index, job] of found.entries()) {
      if (job === undefined || !isListed(job, query)) continue
      jobs.push(job)
      if (jobs.length < query.limit) continue
      const isLast = page.last === undefined && entries.length === index + 1
      return { jobs, next: isLast ? undefined : cursorOf(entries[index]!) }
    }
    last = page.last
    if (last === undefined) return { jobs, next: undefined }
  }
  return { jobs, next: cursorOf({ id: idOfEntry(last), stateAt: last?.['stateAt'] }) }
}

/** Makes a page of dead letters, the last to die first. */
export async function pageOfDeadLetters(
  lists: DynamoJobLists,
  query: DeadLetterQuery,
  nowMs: number
): Promise<JobPage> {
  const found: StoredRecord[] = []
  let last = query.after === undefined ? undefined : keysIn(query.after, 'DEAD')
  do {
    const page = await lists.page('DEAD', { isLatestFirst: true, limit: query.limit + 1, last })
    found.push(...page.items.filter((item) => isListed(jobIn(item), query) && numberIn(item, 'expiresAt') > nowMs))
    last = page.last
  } while (last !== undefined && found.length <= query.limit)
  const shown = found.slice(0, query.limit)
  const lastShown = found.length > query.limit ? shown.at(-1) : undefined
  return { jobs: shown.map((item) => jobIn(item)), next: lastShown && cursorOf(lastShown) }
}

/** Encodes the end of a page as an opaque cursor. */
function cursorOf(item: StoredRecord): string {
  return Buffer.from(JSON.stringify([textIn(item, 'id'), numberIn(item, 'stateAt')])).toString('base64url')
}

function keysIn(cursor: string, list: 'DEAD' | 'ENTRY'): Record<string, unknown> {
  try {
    const [id, stateAt]: [unknown, unknown] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (typeof id !== 'string' || typeof stateAt !== 'number') throw noCursor()
    return { pk: list === 'DEAD' ? jobKey(id) : entryKey(id), queueState: list, stateAt }
  } catch {
    throw noCursor()
  }
}

/** Id of the job whose key a query of entries ended at. */
function idOfEntry(key: Record<string, unknown> | undefined): string {
  return String(key?.['pk']).slice(entryKey('').length)
}
