/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SQLInputValue } from 'node:sqlite'

import type { SqliteFile } from '../storage/sqlite-file.ts'
import { numberIn } from '../storage/stored-record.ts'
import { isFailure } from './job-status.ts'
import type { JobPage, JobQuery } from './job-backend.ts'
import { rowOf } from './sqlite-job-row.ts'

/** Maximum number of jobs that one page of a list looks at: some milliseconds. */
const MAX_LISTED_ROWS = 10_000

/** A page of jobs, newest first. */
export function listJobs(file: SqliteFile, query: JobQuery, nowMs: number): JobPage {
  const { owner, type, status, limit } = query
  const before = query.after === undefined ? Number.MAX_SAFE_INTEGER : Number(query.after)
  // Dead letters have an index of their own. For other lists the scan is bounded, since the store does nothing else meanwhile.
  const span = status === 'DEAD' ? undefined : spanBefore(file, before)
  const conditions: readonly (readonly [string, SQLInputValue | undefined])[] = [
    ['seq < ?', before],
    ['seq >= ?', span?.firstSeq],
    ['owner = ?', owner],
    ['type = ?', type],
    [status !== undefined && isFailure(status) ? 'failure = ?' : 'status = ?', status],
    ['(expires_at IS NULL OR expires_at > ?)', nowMs]
  ]
  const given = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
  const rows = file
    .all(
      `SELECT * FROM jobs WHERE ${given.map(({ sql }) => sql).join(' AND ')} ORDER BY seq DESC LIMIT ?`,
      ...given.map(({ value }) => value),
      limit + 1
    )
    .map((columns) => rowOf(columns))
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1)?.seq : span?.isWhole === false ? span.firstSeq : undefined
  return { jobs: page.map(({ record }) => record.job), next: last?.toString() }
}

/** The jobs before one, as many as a page may look at. */
function spanBefore(file: SqliteFile, before: number): { firstSeq: number; isWhole: boolean } {
  const row = file.get(
    `SELECT coalesce(min(seq), 0) AS first, count(*) AS count
     FROM (SELECT seq FROM jobs WHERE seq < ? ORDER BY seq DESC LIMIT ?)`,
    before,
    MAX_LISTED_ROWS
  )
  const count = numberIn(row ?? {}, 'count')
  return { firstSeq: numberIn(row ?? {}, 'first'), isWhole: count < MAX_LISTED_ROWS }
}
