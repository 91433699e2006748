/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { mcNemar } from '../measure/statistics.ts'
import { figure, table } from './markdown.ts'
import { defineSection } from './section.ts'

const LargeSetsSchema = Type.Object({
  splits: Type.Array(
    Type.Object({
      name: Type.String(),
      classCount: Type.Integer(),
      trainCount: Type.Integer(),
      testCount: Type.Integer(),
      bothRight: Type.Integer(),
      oursAloneRight: Type.Integer(),
      peerAloneRight: Type.Integer(),
      peerC: Type.Number(),
      oursCpuMs: Type.Number(),
      peerCpuMs: Type.Number()
    })
  )
})

/** What the program large-sets.ts prints. */
export type LargeSetsResult = Static<typeof LargeSetsSchema>

function render({ splits }: LargeSetsResult): string {
  return [
    'Our classifier beside plain logistic regression of scikit-learn on the same int8 embeddings, on one thread each. Each row is a random split of all ' +
      'texts of a set, a quarter to test; p by McNemar’s exact test. CPU seconds: ours are those of a whole training and of all test questions, ' +
      'the peer’s those of a search for C on one fold and of one fit.',
    '',
    table(
      [
        'set',
        'classes:',
        'trained on:',
        'asked:',
        'accuracy:',
        'of the peer:',
        'ours alone right:',
        'peer alone right:',
        'p:',
        'CPU s:',
        'of the peer:'
      ],
      splits.map((split) => [
        split.name,
        figure(split.classCount),
        figure(split.trainCount),
        figure(split.testCount),
        ((split.bothRight + split.oursAloneRight) / split.testCount).toFixed(4),
        ((split.bothRight + split.peerAloneRight) / split.testCount).toFixed(4),
        figure(split.oursAloneRight),
        figure(split.peerAloneRight),
        mcNemar(split.oursAloneRight, split.peerAloneRight).toFixed(4),
        figure(split.oursCpuMs / 1000),
        figure(split.peerCpuMs / 1000)
      ])
    )
  ].join('\n')
}

/** How accurate the classifier is on large sets. */
export const largeSets = defineSection({
  name: 'large-sets',
  title: 'Large sets, beside plain logistic regression',
  schema: LargeSetsSchema,
  render
})
