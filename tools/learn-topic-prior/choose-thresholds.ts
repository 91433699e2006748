/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Threshold, TopicPrior } from '../../src/learning/off-topic.ts'
import { judgeByPrior, meanFigures, type PriorFigures } from './judge-prior.ts'
import type { MeasuredMentor } from './mentors.ts'

/** A mentor that thresholds may be chosen on. */
type Candidate = MeasuredMentor & { readonly isTaught: boolean; readonly phrasesOfTwenty?: number }

const THRESHOLDS = Array.from({ length: 61 }, (_, i) => (20 + i) / 100)
/** What a mentor of few phrases should refuse at most of the good questions, and at least of the others. */
const GOOD_REFUSED = 0.2
const NONSENSE_REFUSED = 0.8
/** Kept below {@link GOOD_REFUSED} where both cannot be had, since another data set may be harder. */
const GOOD_REFUSED_AIM = 0.17
/** The same where {@link NONSENSE_REFUSED} is then missed by more than {@link SHORTFALL}: one or two phrases per answer. */
const GOOD_REFUSED_MOST = 0.195
const SHORTFALL = 0.03
/** Phrases an answer from which one threshold serves. */
const MANY_PHRASES = 10
/** Data sets with what real users asked, known or not: they ask in other words than authors foresee. */
const REAL_LOGS: ReadonlySet<string> = new Set(['curekart', 'sofmattress'])

/**
 * Chooses a threshold for each number of phrases an answer, all data sets weighing alike.
 *
 * Mentors of 20 answers and few phrases: the threshold that keeps furthest within both limits, where the share of good questions
 * that it refuses stays below the aim, or nearly at its limit if the other limit is far. Mentors of many phrases: the one by which
 * most of what real users asked is handled right.
 */
export function chooseThresholds(
  mentors: readonly Candidate[],
  priorOf: (mentor: MeasuredMentor) => TopicPrior
): Threshold[] {
  const figuresAt = (some: readonly Candidate[], leastConfidence: number): PriorFigures => {
    const groups = Map.groupBy(some, ({ group, name }) => (name.includes('×') ? name : group))
    const thresholds = [{ phrases: 1, leastConfidence }]
    return meanFigures(
      [...groups.values()].map((ofGroup) =>
        meanFigures(ofGroup.map((one) => judgeByPrior(one, { ...priorOf(one), thresholds })))
      )
    )
  }
  const triedOn = (some: readonly Candidate[]) =>
    THRESHOLDS.map((threshold) => ({ threshold, figures: figuresAt(some, threshold) }))
  const best = (tried: ReturnType<typeof triedOn>, mostRefused: number, worth: (figures: PriorFigures) => number) => {
    const allowed = tried.filter(({ figures }) => figures.goodRefused <= mostRefused)
    return allowed.toSorted((a, b) => worth(b.figures) - worth(a.figures))[0] ?? tried[0]!
  }
  const bestOfFew = (some: readonly Candidate[]) => {
    const tried = triedOn(some)
    const within = (mostRefused: number) =>
      best(tried, mostRefused, ({ goodRefused, nonsenseRefused }) =>
        Math.min(GOOD_REFUSED - goodRefused, nonsenseRefused - NONSENSE_REFUSED)
      )
    const found = within(GOOD_REFUSED_AIM)
    return found.figures.nonsenseRefused < NONSENSE_REFUSED - SHORTFALL ? within(GOOD_REFUSED_MOST) : found
  }
  const twenties = Map.groupBy(mentors, ({ phrasesOfTwenty }) => phrasesOfTwenty ?? 0)
  twenties.delete(0)
  const few = [...twenties].map(([phrases, some]) => ({ phrases, leastConfidence: bestOfFew(some).threshold }))
  const many = mentors.filter(
    ({ group, isTaught, sampleCount, classCount }) =>
      isTaught && REAL_LOGS.has(group) && sampleCount / classCount >= MANY_PHRASES - 2
  )
  const ofMany = best(triedOn(many), 1, ({ balanced }) => balanced)
  return [...few, { phrases: MANY_PHRASES, leastConfidence: ofMany.threshold }]
}
