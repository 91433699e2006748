/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { evaluate } from '../../src/learning/evaluation.ts'
import { FORESIGHT_PRIOR } from '../../src/learning/foresight-prior.ts'
import type { Threshold, TopicEvidence } from '../../src/learning/off-topic.ts'
import { chooseThresholds } from '../../tools/learn-topic-prior/choose-thresholds.ts'
import { readDataSets } from '../../tools/learn-topic-prior/data-sets.ts'
import { confidenceQuantiles, coverageOf, fitForesight } from '../../tools/learn-topic-prior/fit-foresight.ts'
import { FORESIGHT_SOURCE, withForesight } from '../../tools/learn-topic-prior/foresight-source.ts'
import { fitPrior } from '../../tools/learn-topic-prior/fit-prior.ts'
import { judgeByPrior } from '../../tools/learn-topic-prior/judge-prior.ts'
import { drawMentor, sample, seededRandom, type MeasuredMentor } from '../../tools/learn-topic-prior/mentors.ts'
import { withTypingErrors } from '../../tools/learn-topic-prior/typing-errors.ts'

function evidence(similarity: number): TopicEvidence {
  return { logOdds: 0, margin: 0, similarity, gramSimilarity: 0 }
}

/** Known questions lie about 0.7, others about 0.3. */
function madeUp(seed: number): MeasuredMentor {
  const random = seededRandom(seed)
  const questions = Array.from({ length: 200 }, (_, i) => {
    const isKnown = i % 2 === 0
    return {
      isKnown,
      isWithheld: false,
      isRight: isKnown,
      share: 1,
      evidence: evidence((isKnown ? 0.7 : 0.3) + 0.2 * random() - 0.1)
    }
  })
  const own = { answeredRight: [], withheld: [] }
  return {
    group: String(seed),
    name: 'made up',
    sampleCount: 20,
    classCount: 20,
    own,
    questions,
    foretold: evaluate([], true),
    asked: []
  }
}

const HALF = [{ phrases: 1, leastConfidence: 0.5 }]

test('fitPrior() learns from some mentors what tells known questions of another', () => {
  const prior = fitPrior([madeUp(1), madeUp(2), madeUp(3)], HALF)
  assert.ok(prior.similarityWeight > 5)
  const { accuracy, auroc, goodRefused, nonsenseRefused, handledRight, balanced } = judgeByPrior(madeUp(4), prior)
  assert.deepEqual([accuracy, auroc, goodRefused, nonsenseRefused, handledRight, balanced], [1, 1, 0, 1, 1, 1])
})

test('judgeByPrior() counts what is refused, and what is sure and wrong', () => {
  const prior = fitPrior([madeUp(1)], HALF)
  const one = { isWithheld: false, isRight: false, share: 1, evidence: evidence(0.9) }
  const questions = [
    { ...one, isKnown: true, isRight: true },
    { ...one, isKnown: true },
    { ...one, isKnown: false }
  ]
  const found = judgeByPrior({ ...madeUp(1), questions }, prior)
  assert.deepEqual([found.accuracy, found.auroc, found.goodRefused, found.nonsenseRefused], [0.5, 0.5, 0, 0])
  assert.ok(Math.abs(found.handledRight - 1 / 3) < 1e-9)
  // A quarter of the weight is right, and all of it is sure.
  assert.ok(Math.abs(found.calibrationError - 0.75) < 0.1, `${found.calibrationError}`)
})

test('chooseThresholds() keeps within both limits where it can, and refuses few good questions where it cannot', () => {
  const prior = fitPrior([madeUp(1), madeUp(2)], HALF)
  const clear = { ...madeUp(3), isTaught: true, phrasesOfTwenty: 3 }
  // All that is asked looks alike: what refuses enough of the others refuses the good ones too.
  const questions = clear.questions.map((one) => ({ ...one, evidence: evidence(0.55) }))
  const blurred = { ...clear, questions, phrasesOfTwenty: 1 }
  const thresholds = chooseThresholds([blurred, clear], () => prior)
  assert.deepEqual(
    thresholds.map(({ phrases }) => phrases),
    [1, 3, 10]
  )
  const by = (mentor: typeof clear, { leastConfidence }: Threshold) =>
    judgeByPrior(mentor, { ...prior, thresholds: [{ phrases: 1, leastConfidence }] })
  assert.equal(by(blurred, thresholds[0]!).goodRefused, 0)
  const { goodRefused, nonsenseRefused } = by(clear, thresholds[1]!)
  assert.ok(goodRefused <= 0.17 && nonsenseRefused >= 0.8, `${goodRefused}, ${nonsenseRefused}`)
})

test('chooseThresholds() refuses more good questions where few of the others would be refused', () => {
  const prior = { ...fitPrior([madeUp(1)], HALF), intercept: 0, classesWeight: 0, similarityWeight: 1 }
  /** The confidences of either side lie evenly over two fifths of the range; a share of the others below all known ones. */
  const overlapping = (share: number) => {
    const questions = Array.from({ length: 400 }, (_, i) => {
      const isKnown = i % 2 === 0
      const confidence = 0.35 + i / 1000 - (isKnown ? 0 : 0.4 * share)
      const similarity = Math.log(confidence / (1 - confidence))
      return { isKnown, isWithheld: false, isRight: isKnown, share: 1, evidence: evidence(similarity) }
    })
    return { ...madeUp(1), questions, isTaught: true, phrasesOfTwenty: 1 }
  }
  const refused = (share: number) => {
    const mentor = overlapping(share)
    return judgeByPrior(mentor, { ...prior, thresholds: chooseThresholds([mentor], () => prior).slice(0, 1) })
  }
  // 0.17 of the good ones, and more by the share of the others.
  const far = refused(0.5)
  assert.ok(far.goodRefused > 0.17 && far.goodRefused <= 0.195, `${far.goodRefused}`)
  const near = refused(0.625)
  assert.ok(near.goodRefused <= 0.17 && near.nonsenseRefused >= 0.77, `${near.goodRefused}, ${near.nonsenseRefused}`)
})

test('drawMentor() trains on what was drawn alone, and asks of answers left out as off topic', () => {
  const train = Array.from({ length: 40 }, (_, i) => ({ text: `phrase ${i}`, label: `answer ${i % 10}` }))
  const asked = [...train.slice(0, 10), ...train.map(({ text, label }) => ({ text: `asked ${text}`, label }))]
  const set = { group: 'g', name: 'set', train, test: asked }
  const other = { ...set, group: 'other', train: [{ text: 'foreign', label: 'x' }] }
  const drawn = drawMentor({ sets: [set, other], smallTalk: ['hello'] }, set, 4, 2, seededRandom(1))
  const labels = new Set(drawn.train.map(({ label }) => label))
  assert.deepEqual([labels.size, drawn.train.length], [4, 8])
  const trained = new Set(drawn.train.map(({ text }) => text))
  for (const { text, label } of drawn.test) {
    if (label === undefined) continue
    assert.ok(labels.has(label) && !trained.has(text))
  }
  const withheld = drawn.test.filter(({ text, label }) => label === undefined && text.startsWith('asked'))
  assert.ok(withheld.length > 0)
})

test('sample() draws each item once at most, the same with the same seed', () => {
  const drawn = sample([1, 2, 3, 4, 5], 3, seededRandom(5))
  assert.equal(new Set(drawn).size, 3)
  assert.deepEqual(drawn, sample([1, 2, 3, 4, 5], 3, seededRandom(5)))
  assert.deepEqual(
    sample([1, 2], 5, seededRandom(1)).toSorted((a, b) => a - b),
    [1, 2]
  )
})

test('withTypingErrors() changes one letter’s place or number in its share of the longer words', () => {
  const text = 'where is the parcel that was ordered yesterday'
  const spoilt = withTypingErrors(text, 1, seededRandom(3)).split(' ')
  for (const [i, word] of text.split(' ').entries()) {
    if (word.length < 4) assert.equal(spoilt[i], word)
    else assert.ok(Math.abs(spoilt[i]!.length - word.length) <= 1)
  }
  assert.ok(spoilt.join(' ') !== text)
  assert.equal(withTypingErrors(text, 0, seededRandom(3)), text)
})

test('readDataSets() says what it wants where it finds nothing', async () => {
  await assert.rejects(readDataSets('/nowhere'), /Cannot read hint3\/.*github\.com\/hellohaptik\/HINT3/)
})

/** Questions on topic and off in turns; of ten on topic so many are right. */
function judged(right: number) {
  return Array.from({ length: 2000 }, (_, question) => ({
    question,
    label: question % 2 === 0 ? 0 : undefined,
    ranked: [{ class: Math.floor(question / 2) % 10 < right ? 0 : 1, confidence: (question % 1000) / 1000 }],
    topicScore: (question % 1000) / 1000,
    isOffTopic: question % 1000 < 350
  }))
}

/** A mentor whose training foretold nine right of ten, where users' questions show eight; `group` is its data set. */
function foretold(group: string) {
  return { group, name: group, foretold: evaluate(judged(9), true), asked: judged(8) }
}

test('fitForesight() learns how far figures move, and coverageOf() that they then lie where foretold', () => {
  const mentors = ['a', 'b', 'c', 'd'].map(foretold)
  const prior = fitForesight(mentors)
  // Odds of 4 to 1 where 9 to 1 were foretold.
  assert.ok(Math.abs(prior.accuracy.shift - Math.log(4 / 9)) < 0.02, `${prior.accuracy.shift}`)
  assert.equal(prior.refused.shift, 0)
  const { width, ...found } = coverageOf(mentors, () => prior).accuracy
  assert.deepEqual(found, { within: 4, count: 4 })
  // 1,000 questions held out and 1,000 asked: nothing but chance, since all mentors are alike.
  assert.ok(width > 0.02 && width < 0.1, `${width}`)
  const surprised = { ...prior, accuracy: { ...prior.accuracy, shift: 1 } }
  assert.equal(coverageOf(mentors, () => surprised).accuracy.within, 0)
})

/** Mentors of a data set each, whose users' questions show so many right of ten. */
function mentorsThatShow(rights: readonly number[]) {
  return rights.map((right, i) => ({ ...foretold(`set ${i}`), asked: judged(right) }))
}

test('fitForesight() takes the spread between data sets for that of a further one', () => {
  const [alike, apart] = [fitForesight(mentorsThatShow([8, 8, 8, 8])), fitForesight(mentorsThatShow([5, 7, 9, 9]))]
  assert.ok(alike.accuracy.deviation < 0.01)
  // Standard deviation of the log-odds of 5, 7, 9 and 9 of ten: 1.1. By the t distribution of three degrees of freedom, for a fifth: 1.75.
  assert.ok(Math.abs(apart.accuracy.deviation - 1.75) < 0.1, `${apart.accuracy.deviation}`)
})

test('fitForesight() predicts the calibration error from the number of samples alone', () => {
  const mentors = [10, 40, 160].flatMap((count) => {
    const few = { ...foretold('a'), foretold: evaluate(judged(9).slice(0, 4 * count), true) }
    return [few, { ...few, group: 'b' }]
  })
  const { slope, fewSamples } = fitForesight(mentors).calibrationError
  assert.equal(slope, 0)
  // All were shown the same.
  assert.ok(Math.abs(fewSamples) < 1e-6, `${fewSamples}`)
})

test('withForesight() replaces the numbers of the source and nothing else', () => {
  const prior = fitForesight(['a', 'b', 'c', 'd'].map(foretold))
  const source = readFileSync(FORESIGHT_SOURCE, 'utf8')
  const written = withForesight(source, prior, { good: [0.5], nonsense: [0.25] })
  assert.match(written, /export const FORESIGHT_PRIOR = \{accuracy:\{slope:1,/)
  assert.ok(
    written.includes(`shift:${prior.accuracy.shift},`) && !written.includes(`shift: ${FORESIGHT_PRIOR.accuracy.shift},`)
  )
  assert.match(written, /nonsense:\[0\.25\]\} as const satisfies/)
  assert.equal(written.slice(0, written.indexOf('= {')), source.slice(0, source.indexOf('= {')))
  assert.throws(() => withForesight('', prior, { good: [], nonsense: [] }), /Cannot write FORESIGHT_PRIOR/)
})

test('confidenceQuantiles() are those of the questions on topic and off', () => {
  const { good, nonsense } = confidenceQuantiles([foretold('a')])
  assert.deepEqual([good.length, nonsense.length], [19, 19])
  assert.ok(good.every((value, i) => Math.abs(value - (i + 1) / 20) < 0.01))
})
