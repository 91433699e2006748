/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Encoder } from '../../src/embedding/encoder.ts'
import { findCandidates } from '../../src/learning/candidates.ts'
import { groupByClass, type EncodedTexts } from '../../src/learning/class-samples.ts'
import { gramsOf } from '../../src/learning/character-grams.ts'
import { decide } from '../../src/learning/decision.ts'
import type { TopicEvidence } from '../../src/learning/off-topic.ts'
import type { TensorEngine } from '../../src/learning/tensor-engine.ts'
import type { Foretold } from './fit-foresight.ts'
import { evaluate } from '../../src/learning/evaluation.ts'
import { trainSoftmax, type TrainedSoftmax } from '../../src/learning/train-softmax.ts'
import { sanitize } from '../../src/mentor/sanitize.ts'
import type { DataSet, DataSets, LabelledText } from './data-sets.ts'

/** A mentor to train, and what it is asked. */
export interface DrawnMentor {
  readonly group: string
  readonly name: string
  readonly train: readonly LabelledText[]
  readonly test: readonly AskedText[]
}

/** A question to a mentor. */
export interface AskedText extends LabelledText {
  /** Whether an answer that was left out would have answered it. */
  readonly isWithheld?: boolean
}

/** A question as a mentor sees it. */
export interface SeenQuestion {
  readonly isKnown: boolean
  /** Whether an answer that was left out would have answered it. */
  readonly isWithheld: boolean
  readonly isRight: boolean
  readonly evidence: TopicEvidence
  /** Share of the likeliest class among all that could be meant. */
  readonly share: number
}

/** A trained mentor, and what it makes of its questions. */
export interface MeasuredMentor extends Foretold {
  readonly sampleCount: number
  readonly classCount: number
  readonly own: TrainedSoftmax['ownEvidence']
  readonly questions: readonly SeenQuestion[]
}

/** A generator of numbers from 0 up to 1 (mulberry32, Tommy Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** So many of the items, drawn without putting back. */
export function sample<T>(items: readonly T[], count: number, random: () => number): T[] {
  const left = [...items]
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const [taken] = left.splice(Math.floor(random() * left.length), 1)
    return taken!
  })
}

/** What is asked of a drawn mentor: so many questions that it knows, and of each kind that it does not. */
const KNOWN_QUESTIONS = 150
const WITHHELD_QUESTIONS = 75
const REAL_QUESTIONS = 100
const FOREIGN_QUESTIONS = 50

/**
 * Draws a mentor of some answers of a data set and some phrases of each. It is asked what it knows, and what it does not: the answers
 * left out, what the set's own users asked in vain, small talk and the questions of other sets.
 */
export function drawMentor(
  { sets, smallTalk }: DataSets,
  of: DataSet,
  answerCount: number,
  phraseCount: number,
  random: () => number
): DrawnMentor {
  const answers = new Set(sample([...new Set(of.train.map(({ label }) => label))], answerCount, random))
  const train = [...answers].flatMap((label) =>
    sample(
      of.train.filter((one) => one.label === label),
      phraseCount,
      random
    )
  )
  const trained = new Set(train.map(({ text }) => text))
  const known = of.test.filter(({ text, label }) => label !== undefined && answers.has(label) && !trained.has(text))
  const withheld = of.test.filter(({ label }) => label !== undefined && !answers.has(label))
  const real = of.test.filter(({ label }) => label === undefined)
  const foreign =
    random() < 0.4
      ? smallTalk
      : sets.filter(({ group }) => group !== of.group).flatMap(({ train: rows }) => rows.map(({ text }) => text))
  const unanswered = [
    ...sample(withheld, WITHHELD_QUESTIONS, random).map(({ text }) => ({ text, isWithheld: true })),
    ...sample(real, REAL_QUESTIONS, random).map(({ text }) => ({ text })),
    ...sample(foreign, FOREIGN_QUESTIONS, random).map((text) => ({ text }))
  ]
  return {
    group: of.group,
    name: `${of.name} ${answerCount} × ${phraseCount}`,
    train,
    test: [...sample(known, KNOWN_QUESTIONS, random), ...unanswered.map((one) => ({ ...one, label: undefined }))]
  }
}

/** Embeds texts once each. */
export class Embeddings {
  readonly #encoder: Encoder
  readonly #known = new Map<string, Float32Array>()

  constructor(encoder: Encoder) {
    this.#encoder = encoder
  }

  /** As the service sees questions: the embedding of the text as it is, the n-grams of the sanitized one. */
  async encode(texts: readonly string[]): Promise<EncodedTexts> {
    const missing = [...new Set(texts)].filter((text) => !this.#known.has(text))
    const { dimensions } = this.#encoder
    if (missing.length > 0) {
      const { values } = await this.#encoder.encode(missing, { lane: 'bulk' })
      for (const [i, text] of missing.entries()) {
        this.#known.set(text, values.slice(i * dimensions, (i + 1) * dimensions))
      }
    }
    const values = new Float32Array(texts.length * dimensions)
    for (const [i, text] of texts.entries()) values.set(this.#known.get(text)!, i * dimensions)
    return {
      features: { values, rows: texts.length, columns: dimensions },
      grams: texts.map((text) => gramsOf(sanitize(text)))
    }
  }
}

/** Trains a mentor as the service does, and asks it. */
export async function measureMentor(
  engine: TensorEngine,
  embeddings: Embeddings,
  { group, name, train, test }: DrawnMentor
): Promise<MeasuredMentor> {
  const labels = [...new Set(train.map(({ label }) => label))]
  const set = {
    ...(await embeddings.encode(train.map(({ text }) => sanitize(text)))),
    labels: Int32Array.from(train, ({ label }) => labels.indexOf(label)),
    classCount: labels.length
  }
  const trained = await trainSoftmax(engine, set)
  const samples = groupByClass(set, set.labels, set.classCount, Int32Array.from(set.labels.keys()))
  const asked = await embeddings.encode(test.map(({ text }) => text))
  const candidates = await findCandidates(engine, trained.softmax, samples, asked)
  const decisions = test.map((_, i) => decide(candidates, i, trained)!)
  return {
    group,
    name,
    sampleCount: train.length,
    classCount: labels.length,
    own: trained.ownEvidence,
    foretold: evaluate(trained.outOfFold, true),
    asked: decisions.map(({ ranked, isOffTopic }, question) => {
      const { label } = test[question]!
      const known = label === undefined ? undefined : labels.indexOf(label)
      return { question, label: known, ranked, topicScore: ranked[0]!.confidence, isOffTopic }
    }),
    questions: test.map(({ label, isWithheld = false }, i) => {
      const { ranked, evidence, share } = decisions[i]!
      const best = ranked[0]!
      return {
        isKnown: label !== undefined,
        isWithheld,
        isRight: label !== undefined && labels[best.class] === label,
        evidence,
        share
      }
    })
  }
}
