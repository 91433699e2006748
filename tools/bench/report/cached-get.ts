/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { pairedRatios, spreadOf, type Spread } from '../measure/statistics.ts'
import { LoadMeasurementSchema, type KeptLoadMeasurement } from './load-measurement.ts'
import { figure, percent, spread, table } from './markdown.ts'
import { defineSection } from './section.ts'

export const CachedGetSchema = Type.Object({
  clientCount: Type.Integer(),
  pipelining: Type.Integer(),
  secondsPerCase: Type.Number(),
  replyBytes: Type.Integer(),
  servers: Type.Array(
    Type.Object({ name: Type.String(), title: Type.String(), rounds: Type.Array(LoadMeasurementSchema) })
  )
})

/** What the program cached-get.ts prints. */
export type CachedGetResult = Static<typeof CachedGetSchema>

/** The server that does nothing but send the same bytes. */
export const EMPTY_ROUTE = 'empty-route'

/** Requests per second of the server's CPU time, which excludes the clients' share. */
function requestsPerCpuSecond(round: KeptLoadMeasurement): number {
  return round.requestsPerSecond / round.serverCpuShare
}

/** Requests a second of a server of ours, by those of the empty route, round by round. */
export function ratioToEmptyRoute(result: CachedGetResult, name: string): Spread | undefined {
  return ratio(result, name, ({ requestsPerSecond }) => requestsPerSecond)
}

function ratio(
  { servers }: CachedGetResult,
  name: string,
  pick: (round: KeptLoadMeasurement) => number
): Spread | undefined {
  const ours = servers.find((server) => server.name === name)?.rounds.map(pick)
  const empty = servers.find((server) => server.name === EMPTY_ROUTE)?.rounds.map(pick)
  return ours === undefined || empty === undefined ? undefined : pairedRatios(ours, empty)
}

function render(result: CachedGetResult): string {
  const rows = result.servers.map(({ name, title, rounds }) => {
    const of = (pick: (round: KeptLoadMeasurement) => number): Spread => spreadOf(rounds.map(pick))
    const isEmpty = name === EMPTY_ROUTE
    const byRate = ratioToEmptyRoute(result, name)
    const byCpu = ratio(result, name, requestsPerCpuSecond)
    return [
      title,
      spread(of(({ requestsPerSecond }) => requestsPerSecond)),
      isEmpty || byRate === undefined ? '' : spread(byRate),
      spread(of(requestsPerCpuSecond)),
      isEmpty || byCpu === undefined ? '' : spread(byCpu),
      figure(of(({ latencyMs }) => latencyMs.p99).median),
      percent(of(({ serverCpuShare }) => serverCpuShare).median),
      percent(of(({ clientCpuShare }) => clientCpuShare).median)
    ]
  })
  return [
    `One text that is in the reply cache, asked for by ${result.clientCount} clients with ${result.pipelining} requests under way each; ` +
      `replies of ${result.replyBytes.toLocaleString('en')} bytes. The other side is a Fastify route that sends the same bytes and does ` +
      `nothing else: no authorization, no log, no request id, no security headers. ${result.servers[0]?.rounds.length ?? 0} rounds of ` +
      `${figure(result.secondsPerCase)} s in turns; median (least–greatest).`,
    '',
    table(
      [
        'server',
        'requests/s:',
        'to the empty route:',
        'requests/s of server CPU:',
        'to the empty route:',
        'p99 ms:',
        'server CPU:',
        'clients CPU:'
      ],
      rows
    )
  ].join('\n')
}

/** How near a cached reply comes to what the HTTP framework can do at all. */
export const cachedGet = defineSection({
  name: 'cached-get',
  title: 'A cached reply, beside an empty Fastify route',
  schema: CachedGetSchema,
  render
})
