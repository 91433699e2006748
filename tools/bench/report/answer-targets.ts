/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { AnswersSchema, type AnswersResult } from './answers.ts'
import { targetsOf, type Target } from './target.ts'

type Figures = AnswersResult['mentors'][string]['byOthers']

/** Every figure is that of the off-topic rule that was learned on the other data sets alone. */
const target = targetsOf('answers', AnswersSchema)

/** Musts and aims for what users of a published chatbot really asked. */
interface LogTargets {
  readonly name: string
  readonly accuracy: readonly [must: number, aim: number]
  readonly auroc: readonly [must: number, aim: number]
  readonly handledRight: readonly [must: number, aim: number]
}

/** Accuracy: the best of the published peers and a plain sketch of the method, each + 0.01. */
const LOGS: readonly LogTargets[] = [
  { name: 'curekart', accuracy: [0.851, 0.868], auroc: [0.89, 0.91], handledRight: [0.77, 0.8] },
  { name: 'curekart subset', accuracy: [0.833, 0.862], auroc: [0.88, 0.9], handledRight: [0.75, 0.78] },
  { name: 'sofmattress', accuracy: [0.746, 0.794], auroc: [0.89, 0.92], handledRight: [0.73, 0.76] },
  { name: 'sofmattress subset', accuracy: [0.664, 0.75], auroc: [0.87, 0.9], handledRight: [0.68, 0.72] }
]

function ofLogs({ name, accuracy, auroc, handledRight }: LogTargets): Target[] {
  const figures = ({ mentors }: AnswersResult): Figures | undefined => mentors[name]?.byOthers
  return [
    target(`${name}: accuracy in scope`, 'higher', ...accuracy, (result) => figures(result)?.accuracy),
    target(`${name}: AUROC of the confidence`, 'higher', ...auroc, (result) => figures(result)?.auroc),
    target(`${name}: handled right`, 'higher', ...handledRight, (result) => figures(result)?.handledRight),
    target(`${name}: accuracy lost by typing errors in a tenth of the words`, 'lower', 0.08, 0.05, (result) =>
      difference(figures(result)?.accuracy, result.mentors[`${name} with typing errors`]?.byOthers.accuracy)
    )
  ]
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : before - after
}

/** Mentors of 20 answers are drawn from each of the data sets that have so many, ten times for a number of phrases. */
function ofSmallMentors(phraseCount: number): Target[] {
  const suffix = ` 20 × ${phraseCount}`
  const mean = ({ mentors }: AnswersResult, pick: (figures: Figures) => number | undefined): number | undefined => {
    const found = Object.entries(mentors).filter(([name]) => name.endsWith(suffix))
    const values = found.map(([, { byOthers }]) => pick(byOthers)).filter((value) => value !== undefined)
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
  }
  const mentorsOf = `20 answers, ${phraseCount === 1 ? 'one phrase' : `${phraseCount} phrases`} each`
  return [
    target(`${mentorsOf}, mean of the data sets: good refused`, 'lower', 0.2, 0.1, (result) =>
      mean(result, ({ goodRefused }) => goodRefused)
    ),
    target(`${mentorsOf}: nonsense refused`, 'higher', 0.8, 0.85, (result) =>
      mean(result, ({ nonsenseRefused }) => nonsenseRefused)
    )
  ]
}

function leastCoverage({ coverage }: AnswersResult): number | undefined {
  const shares = Object.values(coverage.drawn).map(({ within, count }) => within / count)
  return shares.length === 0 ? undefined : Math.min(...shares)
}

/** What answers are to reach, on data sets that the rule has not seen. */
export const ANSWER_TARGETS: readonly Target[] = [
  ...LOGS.flatMap(ofLogs),
  ...[1, 2, 3, 6].flatMap(ofSmallMentors),
  target(
    'Banking77 calibration error, among 1,500 questions that nothing answers',
    'lower',
    0.02,
    0.01,
    ({ mentors }) => mentors['banking77 among other questions']?.byOthers.calibrationError
  ),
  target('of a figure’s foretold intervals, least share that holds', 'higher', 0.9, 0.95, leastCoverage)
]
