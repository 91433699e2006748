/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { figure, table } from './markdown.ts'
import { defineSection } from './section.ts'

const Figures = Type.Object({
  accuracy: Type.Number(),
  auroc: Type.Optional(Type.Number()),
  goodRefused: Type.Number(),
  nonsenseRefused: Type.Optional(Type.Number()),
  handledRight: Type.Number(),
  calibrationError: Type.Number()
})

const AnswersSchema = Type.Record(
  Type.String(),
  Type.Object({ mentorCount: Type.Integer(), byOthers: Figures, byAll: Figures })
)

/** What the program answers.ts prints. */
type AnswersResult = Static<typeof AnswersSchema>

function shown(of: number | undefined): string {
  return of === undefined ? '' : figure(of)
}

function both(byOthers: number | undefined, byAll: number | undefined): string {
  return byAll === undefined ? '' : `${shown(byOthers)} (${shown(byAll)})`
}

function render(result: AnswersResult): string {
  return [
    'Mentors of published data sets, asked what they know and what nothing of theirs answers; of several mentors the mean. By an off-topic ' +
      'rule that was learned on the other data sets alone, and in parentheses by the one that the service has, which has seen them all.',
    '',
    table(
      [
        'mentors',
        'count:',
        'accuracy:',
        'AUROC:',
        'good refused:',
        'nonsense refused:',
        'handled right:',
        'calibration error:'
      ],
      Object.entries(result).map(([name, { mentorCount, byOthers, byAll }]) => [
        name,
        String(mentorCount),
        shown(byOthers.accuracy),
        both(byOthers.auroc, byAll.auroc),
        both(byOthers.goodRefused, byAll.goodRefused),
        both(byOthers.nonsenseRefused, byAll.nonsenseRefused),
        both(byOthers.handledRight, byAll.handledRight),
        both(byOthers.calibrationError, byAll.calibrationError)
      ])
    )
  ].join('\n')
}

/** How mentors answer, and refuse to. */
export const answers = defineSection({
  name: 'answers',
  title: 'Answers: what is known, and what is off topic',
  schema: AnswersSchema,
  render
})
