/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { spreadOf } from '../measure/statistics.ts'
import { spread, table } from './markdown.ts'
import { defineSection } from './section.ts'

export const StartSchema = Type.Object({
  starts: Type.Array(
    Type.Object({ title: Type.String(), precision: Type.String(), readyMs: Type.Array(Type.Number(), { minItems: 1 }) })
  )
})

/** What the program start.ts prints. */
export type StartResult = Static<typeof StartSchema>

function render({ starts }: StartResult): string {
  return [
    'From the start of the process to the first 200 of `/health/ready`: model loaded and checked, self-test passed on every thread, ' +
      'warm. The model is compiled and in the page cache. Median (least–greatest).',
    '',
    table(
      ['server', 'starts:', 'ready after ms:'],
      starts.map(({ title, readyMs }) => [title, String(readyMs.length), spread(spreadOf(readyMs))])
    )
  ].join('\n')
}

/** How long a start takes. */
export const start = defineSection({ name: 'start', title: 'From start to ready', schema: StartSchema, render })
