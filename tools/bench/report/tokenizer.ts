/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { pairedRatios, spreadOf } from '../measure/statistics.ts'
import { figure, spread, table } from './markdown.ts'
import { defineSection } from './section.ts'

export const TokenizerSchema = Type.Object({
  sentenceCount: Type.Integer(),
  meanTokenCount: Type.Number(),
  contestants: Type.Array(
    Type.Object({ name: Type.String(), sentencesPerSecond: Type.Array(Type.Number(), { minItems: 1 }) })
  )
})

/** What the program tokenizer.ts prints. */
export type TokenizerResult = Static<typeof TokenizerSchema>

function render({ sentenceCount, meanTokenCount, contestants }: TokenizerResult): string {
  const ours = contestants[0]?.sentencesPerSecond ?? []
  return [
    `Text to token ids, ${sentenceCount} sentences of ${figure(meanTokenCount)} tokens on average; the ids are the same. ` +
      'Median (least–greatest) of rounds in turns.',
    '',
    table(
      ['tokenizer', 'sentences/s:', 'ours to it:'],
      contestants.map(({ name, sentencesPerSecond }, index) => [
        name,
        spread(spreadOf(sentencesPerSecond)),
        index === 0 ? '' : `${figure(pairedRatios(ours, sentencesPerSecond).median)}×`
      ])
    )
  ].join('\n')
}

/** How fast texts become token ids. */
export const tokenizer = defineSection({
  name: 'tokenizer',
  title: 'The tokenizer, beside the native one',
  schema: TokenizerSchema,
  render
})
