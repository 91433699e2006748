/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { percent, table } from './markdown.ts'
import { defineSection } from './section.ts'

const QualitySchema = Type.Object({
  sentences: Type.Integer(),
  meanCosine: Type.Number(),
  minCosine: Type.Number(),
  spearman: Type.Number()
})

export const QualityResultSchema = Type.Object({
  referenceMaker: Type.String(),
  graphs: Type.Array(
    Type.Object({
      graph: Type.String(),
      toReference: QualitySchema,
      /** Missing for fp32 itself. */
      toFp32: Type.Optional(QualitySchema),
      /** On real questions; missing where the data set is not there. */
      questions: Type.Optional(Type.Object({ toFp32: QualitySchema, sameNeighbourShare: Type.Number() }))
    })
  )
})

/** What the program quality.ts prints. */
export type QualityResult = Static<typeof QualityResultSchema>

function cells(quality: Static<typeof QualitySchema> | undefined): string[] {
  if (quality === undefined) return ['', '', '']
  return [quality.meanCosine.toFixed(5), quality.minCosine.toFixed(5), quality.spearman.toFixed(5)]
}

function render({ referenceMaker, graphs }: QualityResult): string {
  const questionCount = graphs.find(({ questions }) => questions !== undefined)?.questions?.toFp32.sentences
  const headings = ['mean cosine:', 'least cosine:', 'Spearman:']
  return [
    `Against the vectors of ${referenceMaker}, on ${graphs[0]?.toReference.sentences ?? 0} sentences of all lengths and many scripts ` +
      '(test/fixtures/reference-embeddings.json), and against our own fp32 on the same. Spearman is the rank correlation of the similarities of all pairs.',
    '',
    table(
      [
        'graph',
        'to the reference: mean cosine:',
        'least cosine:',
        'Spearman:',
        'to fp32: mean cosine:',
        'least cosine:',
        'Spearman:'
      ],
      graphs.map(({ graph, toReference, toFp32 }) => [graph, ...cells(toReference), ...cells(toFp32)])
    ),
    ...(questionCount === undefined
      ? []
      : [
          '',
          `On ${questionCount.toLocaleString('en')} questions of customers to a bank (Banking77, test split), to fp32; the last column is how often ` +
            'the nearest other question stays the same:',
          '',
          table(
            ['graph', ...headings, 'same neighbour:'],
            graphs.flatMap(({ graph, questions }) =>
              questions === undefined
                ? []
                : [[graph, ...cells(questions.toFp32), percent(questions.sameNeighbourShare)]]
            )
          )
        ])
  ].join('\n')
}

/** How near our embeddings are to the reference's. */
export const quality = defineSection({
  name: 'quality',
  title: 'Quality of the embeddings',
  schema: QualityResultSchema,
  render
})
