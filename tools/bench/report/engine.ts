/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { pairedRatios, spreadOf } from '../measure/statistics.ts'
import { figure, table } from './markdown.ts'
import { defineSection } from './section.ts'

const Case = Type.Object({
  tokenCount: Type.Integer(),
  sentenceCount: Type.Integer(),
  /** Sentences a second; the rounds of both are pairs. */
  int8: Type.Array(Type.Number()),
  fp32: Type.Array(Type.Number())
})

export const EngineSchema = Type.Object({ arithmetic: Type.String(), cases: Type.Array(Case) })

/** What the program engine.ts prints. */
export type EngineResult = Static<typeof EngineSchema>

function render({ arithmetic, cases }: EngineResult): string {
  const sentenceCounts = [...new Set(cases.map(({ sentenceCount }) => sentenceCount))]
  const tokenCounts = [...new Set(cases.map(({ tokenCount }) => tokenCount))]
  const cell = (tokenCount: number, sentenceCount: number): string => {
    const found = cases.find((one) => one.tokenCount === tokenCount && one.sentenceCount === sentenceCount)
    if (found === undefined) return ''
    const ratio = pairedRatios(found.int8, found.fp32).median
    return `**${figure(spreadOf(found.int8).median)}** / ${figure(spreadOf(found.fp32).median)} (${figure(ratio)}×)`
  }
  return [
    `Sentences/s of the encoder itself, without HTTP: one thread that computes, batcher and thread change included. ` +
      `**int8** (${arithmetic}) / fp32 (ratio), medians, measured in turns. Lengths are tokens, \`[CLS]\` and \`[SEP]\` included.`,
    '',
    table(
      [
        'tokens:',
        ...sentenceCounts.map((count) => (count === 1 ? 'one sentence a call:' : `${count} sentences a call:`))
      ],
      tokenCounts.map((tokenCount) => [
        String(tokenCount),
        ...sentenceCounts.map((sentenceCount) => cell(tokenCount, sentenceCount))
      ])
    )
  ].join('\n')
}

/** Sentences a second by length, batch and precision. */
export const engine = defineSection({
  name: 'engine',
  title: 'Encoding alone: int8 and fp32 on one thread',
  schema: EngineSchema,
  render
})
