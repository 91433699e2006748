/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { TOPIC_PRIOR } from '../../src/learning/topic-prior.ts'
import type { ForesightPrior } from '../../src/learning/foresight.ts'
import type { TopicPrior } from '../../src/learning/off-topic.ts'
import { openEncoder } from '../bench/engine/open-encoder.ts'
import { readDataSets, type DataSets } from './data-sets.ts'
import { confidenceQuantiles, coverageOf, fitForesight } from './fit-foresight.ts'
import { chooseThresholds } from './choose-thresholds.ts'
import { fitPrior } from './fit-prior.ts'
import { judgeByPrior, meanFigures, type PriorFigures } from './judge-prior.ts'
import {
  drawMentor,
  Embeddings,
  measureMentor,
  sample,
  seededRandom,
  type DrawnMentor,
  type MeasuredMentor
} from './mentors.ts'
import { withTypingErrors } from './typing-errors.ts'

/** How often each data set is drawn from, and what sizes. */
const DRAWS: Readonly<
  Record<string, { readonly count: number; readonly answers: readonly number[]; readonly phrases: readonly number[] }>
> = {
  banking77: { count: 70, answers: [5, 8, 12, 20, 20, 30, 45, 60, 75], phrases: [1, 1, 2, 3, 3, 6, 10, 20, 50] },
  curekart: { count: 40, answers: [5, 8, 12, 16, 20, 26], phrases: [1, 2, 3, 6, 10, 20] },
  sofmattress: { count: 40, answers: [5, 8, 12, 16, 19], phrases: [1, 2, 3, 6, 10, 20] },
  'kwik-e-mart': { count: 25, answers: [3, 4, 5], phrases: [1, 2, 3, 6, 20, 50] },
  assistant: { count: 30, answers: [5, 8, 12, 20, 25], phrases: [1, 2, 3, 6, 10] },
  skills: { count: 30, answers: [5, 8, 12, 20, 30, 50], phrases: [1, 2, 3, 6, 10, 20] },
  home: { count: 30, answers: [5, 8, 12, 20, 30], phrases: [1, 2, 3, 6, 10, 20] }
}
/** Mentors of 20 answers: draws of each number of phrases. */
const TWENTY_SETS = ['banking77', 'assistant', 'skills', 'home'] as const
const TWENTY_PHRASES = [1, 2, 3, 6] as const
const TWENTY_DRAWS = 10

/** Questions of other data sets and small talk that are mixed into Banking77's test: half as many again as it has. */
const MIXED_QUESTIONS = 1500

/** Share of the words that a typing error is put into. */
const TYPING_ERROR_RATE = 0.1

/** Figures of mentors of one name: means over all of them. */
export interface NamedFigures {
  readonly name: string
  readonly mentorCount: number
  /** By the prior of the other data sets. */
  readonly byOthers: PriorFigures
  /** By the prior of all, as it has been learned just now. */
  readonly byAll: PriorFigures
  /** By the prior that the service has. */
  readonly byService: PriorFigures
}

export interface LearnedPrior {
  readonly prior: TopicPrior
  readonly figures: readonly NamedFigures[]
  readonly foresight: ForesightPrior
  readonly confidences: ReturnType<typeof confidenceQuantiles>
  /** By the foresight of the other data sets: of drawn mentors, and of the data sets as they are. */
  readonly coverage: { readonly drawn: CoverageByFigure; readonly whole: CoverageByFigure }
}

type CoverageByFigure = ReturnType<typeof coverageOf>

type Mentor<T> = T & {
  /** Whether the prior is fitted to it. */
  readonly isTaught: boolean
  /** Phrases an answer of a mentor of 20 answers, which thresholds are chosen on. */
  readonly phrasesOfTwenty?: number
}

/**
 * Draws mentors, trains them as the service does and learns the prior.
 * @param folder of the data sets
 * @param tell told how many mentors are done, and of how many
 * @throws Error that says where to get what is missing
 */
export async function learnPrior(
  folder: string,
  seed: number,
  tell: (done: number, count: number) => void = () => undefined
): Promise<LearnedPrior> {
  return learnFrom(await measureMentors(folder, seed, tell))
}

/** Draws mentors, trains them as the service does and asks them. */
async function measureMentors(
  folder: string,
  seed: number,
  tell: (done: number, count: number) => void
): Promise<Mentor<MeasuredMentor>[]> {
  const drawn = drawMentors(await readDataSets(folder), seed)
  const encoder = await openEncoder('int8')
  const embeddings = new Embeddings(encoder)
  const engine = await TensorEngine.create()
  const measured: Mentor<MeasuredMentor>[] = []
  for (const [i, mentor] of drawn.entries()) {
    measured.push({ ...mentor, ...(await measureMentor(engine, embeddings, mentor)) })
    tell(i + 1, drawn.length)
  }
  await engine[Symbol.asyncDispose]()
  await encoder.close()
  return measured
}

/** Learns the prior from measured mentors, and tries it on each data set. */
function learnFrom(measured: readonly Mentor<MeasuredMentor>[]): LearnedPrior {
  const taught = measured.filter(({ isTaught }) => isTaught)
  const groups = [...new Set(measured.map(({ group }) => group))]
  const priorWithout = new Map(
    groups.map((group) => [
      group,
      fitPrior(
        taught.filter((one) => one.group !== group),
        []
      )
    ])
  )
  // Each mentor is judged by the prior of the other data sets, so that thresholds suit one that nobody has seen.
  const thresholdsWithout = (without?: string) =>
    chooseThresholds(
      measured.filter(({ group }) => group !== without),
      ({ group }) => priorWithout.get(group)!
    )
  const prior = fitPrior(taught, thresholdsWithout())
  const ofOthers = new Map(
    groups.map((group) => [group, { ...priorWithout.get(group)!, thresholds: thresholdsWithout(group) }])
  )
  const figures = [...new Set(measured.map(({ name }) => name))].map((name): NamedFigures => {
    const mentors = measured.filter((one) => one.name === name)
    const by = (priorOf: (group: string) => TopicPrior) =>
      meanFigures(mentors.map((one) => judgeByPrior(one, priorOf(one.group))))
    return {
      name,
      mentorCount: mentors.length,
      byOthers: by((group) => ofOthers.get(group)!),
      byAll: by(() => prior),
      byService: by(() => TOPIC_PRIOR)
    }
  })
  return { prior, figures, ...learnForesight(measured, groups) }
}

function learnForesight(
  measured: readonly Mentor<MeasuredMentor>[],
  groups: readonly string[]
): Pick<LearnedPrior, 'foresight' | 'confidences' | 'coverage'> {
  const taught = measured.filter(({ isTaught }) => isTaught)
  const foresightWithout = new Map(
    groups.map((group) => [group, fitForesight(taught.filter((one) => one.group !== group))])
  )
  const coverage = (of: readonly MeasuredMentor[]) => coverageOf(of, (group) => foresightWithout.get(group)!)
  const whole = measured.filter(({ isTaught, name }) => !isTaught && !/typing|other questions|×/.test(name))
  return {
    foresight: fitForesight(taught),
    confidences: confidenceQuantiles(taught),
    coverage: { drawn: coverage(taught), whole: coverage(whole) }
  }
}

function drawMentors(found: DataSets, seed: number): Mentor<DrawnMentor>[] {
  const random = seededRandom(seed)
  // Of its own: what is drawn does not depend on what is misspelt.
  const misspelling = seededRandom(seed + 1)
  const drawn: Mentor<DrawnMentor>[] = []
  for (const set of found.sets) {
    drawn.push({ ...set, isTaught: false })
    if (set.group === 'kwik-e-mart' || set.group === 'voice') continue
    const test = set.test.map((one) => ({ ...one, text: withTypingErrors(one.text, TYPING_ERROR_RATE, misspelling) }))
    drawn.push({ ...set, test, name: `${set.name} with typing errors`, isTaught: false })
  }
  for (const [name, { count, answers, phrases }] of Object.entries(DRAWS)) {
    const set = found.sets.find((one) => one.name === name)!
    for (let i = 0; i < count; i++) {
      const [answerCount, phraseCount] = [sample(answers, 1, random)[0]!, sample(phrases, 1, random)[0]!]
      const mentor = drawMentor(found, set, answerCount, phraseCount, random)
      drawn.push({ ...mentor, name: `${name} draws`, isTaught: true })
    }
  }
  const banking = found.sets.find(({ name }) => name === 'banking77')!
  const others = found.sets.filter(({ group }) => group !== 'banking77').flatMap(({ train }) => train)
  const foreign = sample(
    [...found.smallTalk, ...others.map(({ text }) => text)],
    MIXED_QUESTIONS,
    seededRandom(seed + 2)
  )
  const mixed = [...banking.test, ...foreign.map((text) => ({ text, label: undefined }))]
  drawn.push({ ...banking, test: mixed, name: 'banking77 among other questions', isTaught: false })
  for (const name of TWENTY_SETS) {
    const set = found.sets.find((one) => one.name === name)!
    for (const phraseCount of TWENTY_PHRASES) {
      for (let i = 0; i < TWENTY_DRAWS; i++) {
        drawn.push({
          ...drawMentor(found, set, 20, phraseCount, random),
          isTaught: false,
          phrasesOfTwenty: phraseCount
        })
      }
    }
  }
  return drawn
}
