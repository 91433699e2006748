/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { figure, table } from './markdown.ts'
import { plotOf } from './plot.ts'
import { defineSection } from './section.ts'

const Point = Type.Object({
  clientCount: Type.Integer(),
  requestsPerSecond: Type.Number(),
  p50Ms: Type.Number(),
  p95Ms: Type.Number()
})

export const ConcurrencySchema = Type.Object({
  secondsPerCase: Type.Number(),
  servers: Type.Array(Type.Object({ name: Type.String(), title: Type.String(), points: Type.Array(Point) }))
})

/** What the program concurrency.ts prints. */
export type ConcurrencyResult = Static<typeof ConcurrencySchema>

function render({ secondsPerCase, servers }: ConcurrencyResult): string {
  const clientCounts = servers[0]?.points.map(({ clientCount }) => clientCount) ?? []
  return [
    '![Throughput and latency against concurrency](benchmarks.svg)',
    '',
    `Requests/s, and p95 in ms, with so many clients; ${figure(secondsPerCase)} s a case, one round.`,
    '',
    table(
      ['server', ...clientCounts.map((count) => `${count}:`)],
      servers.map(({ title, points }) => [
        title,
        ...points.map(({ requestsPerSecond, p95Ms }) => `${figure(requestsPerSecond)} / ${figure(p95Ms)}`)
      ])
    )
  ].join('\n')
}

/** Throughput and latency against concurrency, beside other servers. */
export const concurrency = defineSection({
  name: 'concurrency',
  title: 'Throughput and latency against concurrency',
  schema: ConcurrencySchema,
  render
})

/** The plot of {@link concurrency}'s result, as an SVG; nothing when the result is of another shape. */
export function renderConcurrencyPlot({ servers }: ConcurrencyResult): string {
  const seriesOf = (pick: (point: Static<typeof Point>) => number): Parameters<typeof plotOf>[0][number]['series'] =>
    servers.map(({ title, points }) => ({
      title,
      points: points.map((point) => ({ x: point.clientCount, y: pick(point) }))
    }))
  return plotOf([
    { title: 'Requests a second', series: seriesOf(({ requestsPerSecond }) => requestsPerSecond) },
    { title: 'Latency p95, ms', series: seriesOf(({ p95Ms }) => p95Ms) }
  ])
}
