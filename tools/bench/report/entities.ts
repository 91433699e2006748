/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { table } from './markdown.ts'
import { defineSection } from './section.ts'

const TallySchema = Type.Object({
  type: Type.String(),
  right: Type.Integer(),
  wrong: Type.Integer(),
  missed: Type.Integer()
})

export const EntitiesResultSchema = Type.Object({
  halves: Type.Array(
    Type.Object({
      half: Type.String(),
      sentenceCount: Type.Integer(),
      extractors: Type.Array(Type.Object({ name: Type.String(), types: Type.Array(TallySchema) }))
    })
  ),
  msPerSentence: Type.Number()
})

/** What the program entities.ts prints. */
export type EntitiesResult = Static<typeof EntitiesResultSchema>

type Tally = Static<typeof TallySchema>

function rowOf(name: string, { type, right, wrong, missed }: Tally): string[] {
  const precision = right + wrong === 0 ? '-' : (right / (right + wrong)).toFixed(2)
  const recall = (right / (right + missed)).toFixed(2)
  const f1 = ((2 * right) / (2 * right + wrong + missed)).toFixed(2)
  return [name, type, String(right + missed), precision, recall, f1]
}

function sumOf(types: readonly Tally[]): Tally {
  const sum = (count: 'right' | 'wrong' | 'missed'): number => types.reduce((total, tally) => total + tally[count], 0)
  return { type: 'all', right: sum('right'), wrong: sum('wrong'), missed: sum('missed') }
}

function render({ halves, msPerSentence }: EntitiesResult): string {
  const parts = halves.flatMap(({ half, sentenceCount, extractors }) => [
    `${sentenceCount} sentences (${half}):`,
    '',
    table(
      ['extractor', 'type', 'marked:', 'precision:', 'recall:', 'F1:'],
      extractors.flatMap(({ name, types }) => [...types, sumOf(types)].map((tally) => rowOf(name, tally)))
    ),
    ''
  ])
  return [...parts, `A sentence takes ${msPerSentence.toFixed(1)} ms, after the first ones.`].join('\n')
}

/** How well entities are found. */
export const entities = defineSection({ name: 'entities', title: 'Entities', schema: EntitiesResultSchema, render })
