/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { figure, megabytes, table } from './markdown.ts'
import { defineSection } from './section.ts'

export const SoakSchema = Type.Object({
  clientCount: Type.Integer(),
  replyCacheBytes: Type.Integer(),
  requestCount: Type.Integer(),
  failureCount: Type.Integer(),
  seconds: Type.Number(),
  /** At the end of each tenth of the requests. */
  tenths: Type.Array(Type.Object({ requestsPerSecond: Type.Number(), p99Ms: Type.Number(), rssBytes: Type.Number() }), {
    minItems: 3
  })
})

/** What the program soak.ts prints. */
export type SoakResult = Static<typeof SoakSchema>

/** How much memory grew in the second half, as a share; the first half is for caches and heaps to fill. */
export function growthOfSecondHalf({ tenths }: SoakResult): number {
  const rss = tenths.map(({ rssBytes }) => rssBytes)
  const middle = rss[Math.ceil(rss.length / 2) - 1] ?? Number.NaN
  return (rss.at(-1) ?? Number.NaN) / middle - 1
}

function render(result: SoakResult): string {
  return [
    `${result.requestCount.toLocaleString('en')} requests of ${result.clientCount} clients, every text another one, in ` +
      `${figure(result.seconds / 60)} minutes; failed: ${result.failureCount}. The reply cache may hold ` +
      `${megabytes(result.replyCacheBytes)}. From the middle to the end, memory changed by ` +
      `${figure(growthOfSecondHalf(result) * 100)} %.`,
    '',
    table(
      ['', ...result.tenths.map((_tenth, index) => `${Math.round(((index + 1) * 100) / result.tenths.length)} %:`)],
      [
        ['RSS', ...result.tenths.map(({ rssBytes }) => megabytes(rssBytes))],
        ['requests/s', ...result.tenths.map(({ requestsPerSecond }) => figure(requestsPerSecond))],
        ['p99 ms', ...result.tenths.map(({ p99Ms }) => figure(p99Ms))]
      ]
    )
  ].join('\n')
}

/** Whether memory stays flat over many requests. */
export const soak = defineSection({
  name: 'soak',
  title: 'Soak: memory over many requests',
  isOptional: true,
  schema: SoakSchema,
  render
})
