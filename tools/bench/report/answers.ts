/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { figure, table } from './markdown.ts'
import { defineSection } from './section.ts'

/** How the mentors of a row answered. Shares from 0 to 1. */
const Figures = Type.Object({
  accuracy: Type.Number(),
  auroc: Type.Optional(Type.Number()),
  goodRefused: Type.Number(),
  nonsenseRefused: Type.Optional(Type.Number()),
  foreignRefused: Type.Optional(Type.Number()),
  handledRight: Type.Number(),
  calibrationError: Type.Number()
})

const Coverage = Type.Record(
  Type.String(),
  Type.Object({ within: Type.Integer(), count: Type.Integer(), width: Type.Number() })
)

/** What the program answers.ts prints. */
export const AnswersSchema = Type.Object({
  mentors: Type.Record(
    Type.String(),
    Type.Object({ mentorCount: Type.Integer(), byOthers: Figures, byService: Figures })
  ),
  coverage: Type.Object({ drawn: Coverage, whole: Coverage })
})

/** See {@link AnswersSchema}. */
export type AnswersResult = Static<typeof AnswersSchema>

function shown(of: number | undefined): string {
  return of === undefined ? '' : figure(of)
}

function both(byOthers: number | undefined, byService: number | undefined): string {
  return byService === undefined ? '' : `${shown(byOthers)} (${shown(byService)})`
}

/** What intervals are of, as the evaluation of a training has them. */
const FORETOLD = ['accuracy', 'refused', 'offTopicRefused', 'offTopicAuroc', 'calibrationError'] as const

function within(coverage: AnswersResult['coverage']['drawn'], figureName: string): string {
  const found = coverage[figureName]
  return found === undefined ? '' : `${found.within} of ${found.count} (${figure(found.width)})`
}

function render({ mentors, coverage }: AnswersResult): string {
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
        'of it, of no answer left out:',
        'handled right:',
        'calibration error:'
      ],
      Object.entries(mentors).map(([name, { mentorCount, byOthers, byService }]) => [
        name,
        String(mentorCount),
        shown(byOthers.accuracy),
        both(byOthers.auroc, byService.auroc),
        both(byOthers.goodRefused, byService.goodRefused),
        both(byOthers.nonsenseRefused, byService.nonsenseRefused),
        both(byOthers.foreignRefused, byService.foreignRefused),
        both(byOthers.handledRight, byService.handledRight),
        both(byOthers.calibrationError, byService.calibrationError)
      ])
    ),
    '',
    'How often the figure that users’ questions showed lay within the interval that the training had foretold for nine cases of ten, by what ' +
      'was learned on the other data sets alone: of drawn mentors with 20 samples held out or more, and of the data sets as they are. In parentheses the mean width of the intervals.',
    '',
    table(
      ['figure', 'drawn mentors:', 'data sets:'],
      FORETOLD.map((name) => [`\`${name}\``, within(coverage.drawn, name), within(coverage.whole, name)])
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
