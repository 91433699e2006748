/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SqliteFile } from '../storage/sqlite-file.ts'
import { LONGEST_DELAY_MS } from './job.ts'
import { PRIORITIES, type Priority } from './job-status.ts'
import { rowOf, type JobRow } from './sqlite-job-row.ts'

/** Condition on a QUEUED row of `jobs`: no job of its group is IN_PROGRESS. */
const IS_GROUP_FREE = `NOT EXISTS (
  SELECT 1 FROM jobs AS other WHERE other.concurrency_group = jobs.concurrency_group AND other.status = 'IN_PROGRESS')`

/** The jobs of one lane that may be handed out now, the earliest due first. */
export function dueJobs(
  file: SqliteFile,
  { types, lane, limit, nowMs }: { types: readonly string[]; lane: Priority; limit: number; nowMs: number }
): JobRow[] {
  if (limit <= 0) return []
  // One index lookup for each type; a single query over all types would sort the whole queue.
  const earliest = (bound: '<=' | '>', boundMs: number): JobRow[] =>
    types
      .flatMap((type) =>
        file.all(
          `SELECT * FROM jobs WHERE status = 'QUEUED' AND type = ? AND priority = ? AND run_at ${bound} ? AND ${IS_GROUP_FREE}
           ORDER BY run_at, seq LIMIT ?`,
          type,
          lane,
          boundMs,
          limit
        )
      )
      .map((columns) => rowOf(columns))
      .toSorted((a, b) => a.record.job.runAtMs - b.record.job.runAtMs || a.seq - b.seq)
  const due = earliest('<=', nowMs)
  // Those queued while the clock was ahead come last, so they are looked for only where there is room.
  return (due.length < limit ? [...due, ...earliest('>', nowMs + LONGEST_DELAY_MS)] : due).slice(0, limit)
}

/** Earliest due time of the queued jobs whose group is free; `undefined` when there are none. */
export function nextDueMs(file: SqliteFile, types: readonly string[]): number | undefined {
  const first = (type: string, lane: Priority): number[] =>
    file
      .all(
        `SELECT * FROM jobs WHERE status = 'QUEUED' AND type = ? AND priority = ? AND ${IS_GROUP_FREE}
         ORDER BY run_at, seq LIMIT 1`,
        type,
        lane
      )
      .map((columns) => rowOf(columns).record.job.runAtMs)
  const times = types.flatMap((type) => PRIORITIES.flatMap((lane) => first(type, lane)))
  return times.length === 0 ? undefined : Math.min(...times)
}
