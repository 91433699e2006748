/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { LoadMeasurementSchema } from './load-measurement.ts'
import { figure, megabytes, percent, table } from './markdown.ts'
import { defineSection } from './section.ts'

export const FullLoadSchema = Type.Object({
  cases: Type.Array(
    Type.Object({
      clientCount: Type.Integer(),
      load: LoadMeasurementSchema,
      health: Type.Object({ count: Type.Integer(), p50Ms: Type.Number(), p99Ms: Type.Number(), maxMs: Type.Number() }),
      /** From the service's own metrics; missing where they lack it. */
      eventLoopDelayP99Ms: Type.Optional(Type.Number())
    })
  )
})

/** What the program full-load.ts prints. */
export type FullLoadResult = Static<typeof FullLoadSchema>

function render({ cases }: FullLoadResult): string {
  return [
    'Our service, int8, all settings at their defaults, as busy as so many clients in a closed loop can make it. ' +
      'Meanwhile one more client asks for `/health/live`, every 10 ms.',
    '',
    table(
      [
        'clients:',
        'requests/s:',
        'health p50 ms:',
        'health p99 ms:',
        'health max ms:',
        'event-loop delay p99 ms:',
        'RSS:',
        'server CPU:',
        'clients CPU:'
      ],
      cases.map(({ clientCount, load, health, eventLoopDelayP99Ms }) => [
        String(clientCount),
        figure(load.requestsPerSecond),
        figure(health.p50Ms),
        figure(health.p99Ms),
        figure(health.maxMs),
        eventLoopDelayP99Ms === undefined ? 'not exposed' : figure(eventLoopDelayP99Ms),
        megabytes(load.serverRssBytes),
        percent(load.serverCpuShare),
        percent(load.clientCpuShare)
      ])
    )
  ].join('\n')
}

/** Whether the service stays responsive, and how much memory it takes, at full load. */
export const fullLoad = defineSection({
  name: 'full-load',
  title: 'Responsiveness and memory at full load',
  schema: FullLoadSchema,
  render
})
