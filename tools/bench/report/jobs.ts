/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { figure, percent, table } from './markdown.ts'
import { defineSection } from './section.ts'

const Latency = Type.Object({ p50Ms: Type.Number(), p99Ms: Type.Number() })

const TableFigures = Type.Object({
  enqueue: Type.Intersect([Type.Object({ perSecond: Type.Number() }), Latency]),
  claimAndFinish: Type.Object({ perSecond: Type.Number() }),
  idleLatency: Latency,
  idleLatencyAcrossProcesses: Latency,
  idleCpuPercent: Type.Number()
})

const JobsSchema = Type.Object({
  fsyncMs: Type.Number(),
  clientCount: Type.Integer(),
  endedJobCount: Type.Integer(),
  onEmptyTable: TableFigures,
  onFullTable: TableFigures
})

type Figures = Static<typeof TableFigures>

function render({ fsyncMs, clientCount, endedJobCount, onEmptyTable, onFullTable }: Static<typeof JobsSchema>): string {
  const rows: readonly (readonly [string, (found: Figures) => string])[] = [
    [`enqueue, ${clientCount} clients, durable: jobs/s`, ({ enqueue }) => figure(enqueue.perSecond)],
    ['the same: p50 / p99 ms', ({ enqueue }) => latency(enqueue)],
    ['claim and finish, each a commit: jobs/s', ({ claimAndFinish }) => figure(claimAndFinish.perSecond)],
    ['an idle queue, from enqueue to result: p50 / p99 ms', ({ idleLatency }) => latency(idleLatency)],
    ['the same, consumer in another process', ({ idleLatencyAcrossProcesses }) => latency(idleLatencyAcrossProcesses)],
    ['CPU of a consumer that waits', ({ idleCpuPercent }) => percent(idleCpuPercent / 100)]
  ]
  return [
    `The embedded job queue (SQLite). One durable write on this disk takes ${figure(fsyncMs)} ms (median of fsync): no lone enqueue can be quicker. ` +
      `Measured on an empty table, and on one that holds ${endedJobCount.toLocaleString('en')} jobs that have ended.`,
    '',
    table(
      ['', 'empty table:', `${endedJobCount.toLocaleString('en')} ended jobs:`],
      rows.map(([what, show]) => [what, show(onEmptyTable), show(onFullTable)])
    )
  ].join('\n')
}

function latency({ p50Ms, p99Ms }: Static<typeof Latency>): string {
  return `${figure(p50Ms)} / ${figure(p99Ms)}`
}

/** How fast the embedded job queue is. */
export const jobs = defineSection({ name: 'jobs', title: 'The job queue', schema: JobsSchema, render })
