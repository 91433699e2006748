/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { pairedRatios, spreadOf } from '../measure/statistics.ts'
import { LoadMeasurementSchema, type KeptLoadMeasurement } from './load-measurement.ts'
import { figure, megabytes, percent, spread, table } from './markdown.ts'
import { defineSection } from './section.ts'

/** One server, in all rounds; or why it could not be measured. */
const ServerResult = Type.Object({
  name: Type.String(),
  title: Type.String(),
  setup: Type.String(),
  rounds: Type.Array(LoadMeasurementSchema),
  problem: Type.Optional(Type.String())
})

export const EncodeHttpSchema = Type.Object({
  clientCount: Type.Integer(),
  secondsPerCase: Type.Number(),
  warmUpSeconds: Type.Number(),
  meanWordCount: Type.Number(),
  servers: Type.Array(ServerResult)
})

/** What the program encode-http.ts prints. */
export type EncodeHttpResult = Static<typeof EncodeHttpSchema>

/** The server that all others are compared with. */
const OURS = 'ours-int8'

type Pick = (round: KeptLoadMeasurement) => number

/** Ratios of ours to another server's, round by round; nothing where one of both was not measured. */
export function ratiosTo(
  result: EncodeHttpResult,
  name: string,
  pick: Pick
): ReturnType<typeof pairedRatios> | undefined {
  const roundsOf = (wanted: string): number[] =>
    result.servers.find((server) => server.name === wanted)?.rounds.map(pick) ?? []
  const ours = roundsOf(OURS)
  const theirs = roundsOf(name)
  return ours.length === 0 || theirs.length !== ours.length ? undefined : pairedRatios(ours, theirs)
}

export const requestsPerSecond: Pick = (round) => round.requestsPerSecond
export const latencyP95: Pick = (round) => round.latencyMs.p95

function render(result: EncodeHttpResult): string {
  const measured = result.servers.filter(({ rounds }) => rounds.length > 0)
  const rows = measured.map(({ name, title, rounds }) => {
    const of = (pick: Pick): ReturnType<typeof spreadOf> => spreadOf(rounds.map(pick))
    const rate = ratiosTo(result, name, requestsPerSecond)
    const p95 = ratiosTo(result, name, latencyP95)
    return [
      name === OURS ? `**${title}**` : title,
      spread(of(requestsPerSecond)),
      name === OURS || rate === undefined
        ? ''
        : `**${figure(rate.median)}×** (${figure(rate.min)}–${figure(rate.max)})`,
      figure(of((round) => round.latencyMs.p50).median),
      figure(of(latencyP95).median),
      figure(of((round) => round.latencyMs.p99).median),
      name === OURS || p95 === undefined ? '' : spread(p95),
      megabytes(of((round) => round.serverRssBytes).max),
      percent(of((round) => round.serverCpuShare).median),
      percent(of((round) => round.clientCpuShare).median),
      percent(of((round) => round.otherCpuShare).max)
    ]
  })
  const failureCount = measured.flatMap(({ rounds }) => rounds).reduce((sum, round) => sum + round.failureCount, 0)
  const roundCount = Math.max(0, ...measured.map(({ rounds }) => rounds.length))
  return [
    `${result.clientCount} clients in a closed loop (each sends its next request when its last was answered), one short text a ` +
      `request (${figure(result.meanWordCount)} words on average), no text twice, the same texts for every server. ` +
      `${roundCount} rounds; in each, every server in turn for ${figure(result.secondsPerCase)} s after ` +
      `${figure(result.warmUpSeconds)} s of warming up, while the others idle. Median (least–greatest) of the rounds; ` +
      `a ratio is taken within a round. Answers that failed: ${failureCount}.`,
    '',
    table(
      [
        'server',
        'requests/s:',
        'ours to it:',
        'p50 ms:',
        'p95 ms:',
        'p99 ms:',
        'our p95 to its:',
        'RSS:',
        'server CPU:',
        'clients CPU:',
        'other CPU:'
      ],
      rows
    ),
    '',
    'CPU is in shares of one core; the clients are one process on the same machine, which reads answers to the end but does not ' +
      'parse them; "other" is the most that anything else took in a round. RSS is summed over a server\'s processes.',
    '',
    ...result.servers.map(
      ({ title, setup, problem }) => `- ${title}: ${problem === undefined ? setup : `**not measured**: ${problem}`}`
    )
  ].join('\n')
}

/** Requests a second beside other servers of the same model. */
export const encodeHttp = defineSection({
  name: 'encode-http',
  title: 'One text a request, beside other servers',
  schema: EncodeHttpSchema,
  render
})
