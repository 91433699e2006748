/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DEFAULT_CALIBRATION, fitCalibration, meanLogLoss, scoresOf } from './calibration.ts'
import {
  classGramsOf,
  findCandidates,
  groupByClass,
  type Candidates,
  type ClassGrams,
  type EncodedTexts,
  type SampleTexts
} from './candidates.ts'
import { decide, type DecisionRule } from './decision.ts'
import type { JudgedQuestion } from './evaluation.ts'
import { splitByFold, stratifiedFolds } from './folds.ts'
import { lineWithin, type OffTopicBound } from './off-topic-bound.ts'
import {
  ownEvidenceOf,
  ownShare,
  topicEvidence,
  topicRuleOf,
  type OwnEvidence,
  type TopicEvidence
} from './off-topic.ts'
import {
  fitSoftmax,
  prepareSamples,
  takeSamples,
  type SoftmaxModel,
  type SoftmaxOptions,
  type SoftmaxSamples
} from './softmax.ts'
import type { TensorEngine } from './tensor-engine.ts'

/** What a classifier is trained from: samples, embedded, with the n-grams of their texts where these are known. */
export interface TrainingSet extends SampleTexts {
  /** Class of each sample, 0 to classCount − 1. */
  readonly labels: Int32Array
  readonly classCount: number
  /** Samples of the same text have the same number here, so that none is judged by a model that saw its twin. */
  readonly groups?: Int32Array
  /** Questions that no class answers. They are learned as one more class, which is never the answer. */
  readonly offTopic?: SampleTexts
}

export interface TrainingOptions {
  /** @default 5 */
  readonly foldCount?: number
  /** Called with the share done, 0 to 1. */
  readonly onProgress?: (share: number) => void
  /** Checked between fits. */
  readonly signal?: AbortSignal
  /** What the off-topic rule is to keep to. @default the line that serves most mentors */
  readonly offTopicBound?: OffTopicBound | undefined
}

export interface TrainedSoftmax extends DecisionRule {
  /** Coefficients of the classes, and of what is taught as off topic if anything is. */
  readonly softmax: SoftmaxModel
  /** Penalty with the least out-of-fold log loss, 1 / C. */
  readonly penalty: number
  /** Weight of the mentor's own samples in the off-topic rule; the rest is the prior's. */
  readonly ownShare: number
  /** What that weight was learned from. */
  readonly ownEvidence: HeldOutEvidence
  /** Out-of-fold judgements of each held-out sample, with its class and without. */
  readonly outOfFold: readonly JudgedQuestion[]
  /** In plain words, what too few samples left unmeasured; empty when nothing. */
  readonly notMeasured: readonly string[]
}

/** Out-of-fold evidence of the held-out samples. */
export interface HeldOutEvidence {
  /** Evidence of those that got their own class. */
  readonly answeredRight: readonly TopicEvidence[]
  /** Evidence of all, without their own class. */
  readonly withheld: readonly TopicEvidence[]
}

/** Weights tried: C of 1 to 100. */
const PENALTIES = [1, 1 / 3, 1 / 10, 1 / 30, 1 / 100] as const
const FIRST_PENALTY = 2
/**
 * For all fits here. On Banking77 a third of it costs twice the evaluations and changes neither accuracy (0.933) nor
 * calibration error (0.012): the calibration makes up for coefficients that have not grown to their full length.
 */
const GRADIENT_TOLERANCE = 1e-2
/** Weight of a mentor's own samples below which a training says that the off-topic rule is mostly that of others. */
const OWN_RULE_SHARE = 0.5
/** Number of held-out samples that is enough to compare two penalties; later folds use the chosen one. */
const SAMPLES_TO_CHOOSE_PENALTY = 500
/** Multiply-adds of one gradient above which only one fold is measured and the penalty is not searched for. */
const LARGE_EVALUATION = 5e10
const LARGE_MAX_EVALUATIONS = 12

/**
 * Trains the softmax classifier: coefficients, calibration and off-topic rule.
 *
 * Folds are held out in turn. The penalty is the one with the least log loss there, after calibration. Calibration and the
 * mentor's share in the off-topic rule follow from what the fold models say of samples that they have not seen; last, the
 * coefficients are fitted to all samples.
 *
 * A mentor's own share is learned without a single off-topic question: each held-out sample is looked at a second time with its own
 * class withheld from the candidates, as a question that nothing answers. What that leaves, the log-odds of the best other
 * class and the similarity to the nearest other sample, is what a really unknown question leaves (docs/classifier.md has
 * the measurement against intents really left out). Logits as such would not do: they have learned to avoid the withheld class.
 */
export async function trainSoftmax(
  engine: TensorEngine,
  set: TrainingSet,
  options: TrainingOptions = {}
): Promise<TrainedSoftmax> {
  const taught = withOffTopicClass(set)
  const { features, labels, classCount, groups } = taught
  const foldCount = options.foldCount ?? 5
  const folds = stratifiedFolds(labels, foldCount, groups)
  const samples = await prepareSamples(engine, features)
  const isLarge = features.rows * classCount * features.columns > LARGE_EVALUATION
  const limits: FitLimits = {
    gradientTolerance: GRADIENT_TOLERANCE,
    ...(isLarge ? { maxEvaluations: LARGE_MAX_EVALUATIONS } : {})
  }

  const validation = new Validation(engine, taught, samples, folds, limits, options)
  const usableFolds = [...Array(foldCount).keys()].filter((fold) => folds.includes(fold))
  const measuredFolds = isLarge ? usableFolds.slice(0, 1) : usableFolds
  const penaltyIndex = isLarge ? FIRST_PENALTY : await choosePenalty(validation, measuredFolds)
  const penalty = PENALTIES[penaltyIndex]!
  const held: HeldOut[] = []
  for (const fold of measuredFolds) held.push(await validation.heldOut(fold, penaltyIndex))

  const start = held[0]?.model
  const { model: softmax } = await fitSoftmax(engine, samples, labels, classCount, {
    penalty,
    ...limits,
    ...(start === undefined ? {} : { start })
  })
  options.onProgress?.(1)
  const { rule, own, evidence } = learnRule(held, taught)
  const judged = judgeOutOfFold(held, taught)
  const leastConfidence =
    options.offTopicBound === undefined ? rule.topicRule.leastConfidence : lineWithin(options.offTopicBound, judged)
  return {
    softmax,
    ...rule,
    topicRule: { ...rule.topicRule, leastConfidence },
    penalty,
    ownShare: ownShare(own),
    ownEvidence: evidence,
    outOfFold: judged.map((one) => ({ ...one, isOffTopic: one.ranked[0]!.confidence < leastConfidence })),
    notMeasured: describeGaps(set, held, own, isLarge)
  }
}

/** A set whose last class is what was taught as off topic, if anything was. */
interface TaughtSet extends TrainingSet {
  readonly offTopicClass: number | undefined
  /** Without what was taught as off topic. */
  readonly onTopic: { readonly sampleCount: number; readonly classCount: number }
}

function withOffTopicClass(set: TrainingSet): TaughtSet {
  const { features, grams, labels, classCount, groups, offTopic } = set
  const onTopic = { sampleCount: features.rows, classCount }
  if (offTopic === undefined || offTopic.features.rows === 0) return { ...set, offTopicClass: undefined, onTopic }
  const added = offTopic.features
  const values = new Float32Array(features.values.length + added.values.length)
  values.set(features.values)
  values.set(added.values, features.values.length)
  const rows = features.rows + added.rows
  const firstGroup = groups === undefined ? features.rows : groups.reduce((a, b) => Math.max(a, b), -1) + 1
  return {
    features: { values, rows, columns: features.columns },
    ...(grams !== undefined && offTopic.grams !== undefined && { grams: [...grams, ...offTopic.grams] }),
    labels: Int32Array.from({ length: rows }, (_, i) => labels[i] ?? classCount),
    classCount: classCount + 1,
    groups: Int32Array.from({ length: rows }, (_, i) =>
      i < features.rows ? (groups?.[i] ?? i) : firstGroup + i - features.rows
    ),
    offTopicClass: classCount,
    onTopic
  }
}

type FitLimits = Pick<SoftmaxOptions, 'gradientTolerance' | 'maxEvaluations'>

/** A fold's samples as the model sees them that was fitted to the other folds. */
interface HeldOut {
  readonly model: SoftmaxModel
  /** Positions in the training set. */
  readonly samples: Int32Array
  /** Class of each. */
  readonly labels: Int32Array
  readonly candidates: Candidates
}

/** Fits fold models and keeps them: a fold is fitted once for each penalty, from the fit with a neighbouring one. */
class Validation {
  readonly #engine: TensorEngine
  readonly #set: TrainingSet
  readonly #samples: SoftmaxSamples
  readonly #folds: Int32Array
  readonly #limits: FitLimits
  readonly #options: TrainingOptions
  readonly #done = new Map<string, HeldOut>()
  readonly #classGrams = new Map<number, ClassGrams>()
  readonly #latestModel = new Map<number, SoftmaxModel>()

  constructor(
    engine: TensorEngine,
    set: TrainingSet,
    samples: SoftmaxSamples,
    folds: Int32Array,
    limits: FitLimits,
    options: TrainingOptions
  ) {
    this.#engine = engine
    this.#set = set
    this.#samples = samples
    this.#folds = folds
    this.#limits = limits
    this.#options = options
  }

  sampleCount(fold: number): number {
    return this.#folds.reduce((count, of) => count + (of === fold ? 1 : 0), 0)
  }

  async heldOut(fold: number, penaltyIndex: number): Promise<HeldOut> {
    const key = `${fold} ${penaltyIndex}`
    const known = this.#done.get(key)
    if (known !== undefined) return known
    this.#options.signal?.throwIfAborted()
    const { labels, classCount } = this.#set
    const { heldOut, trained } = splitByFold(this.#folds, fold)
    const start = this.#latestModel.get(fold)
    const { model } = await fitSoftmax(
      this.#engine,
      takeSamples(this.#samples, trained),
      Int32Array.from(trained, (sample) => labels[sample]!),
      classCount,
      { penalty: PENALTIES[penaltyIndex]!, ...this.#limits, ...(start === undefined ? {} : { start }) }
    )
    const seen = groupByClass(this.#set, labels, classCount, trained)
    const asked = takeTexts(this.#set, heldOut)
    const classGrams = this.#classGrams.get(fold) ?? classGramsOf(seen, asked)
    if (classGrams !== undefined) this.#classGrams.set(fold, classGrams)
    const candidates = await findCandidates(this.#engine, model, seen, asked, classGrams)
    const result = { model, samples: heldOut, labels: Int32Array.from(heldOut, (i) => labels[i]!), candidates }
    this.#latestModel.set(fold, model)
    this.#done.set(key, result)
    // Two or three penalties on some folds, one on the others, and the last fit.
    this.#options.onProgress?.(Math.min(0.95, this.#done.size / ((this.#options.foldCount ?? 5) + 4)))
    return result
  }
}

/** Walks from the middle penalty towards the better neighbour for as long as the log loss falls. */
async function choosePenalty(validation: Validation, usableFolds: readonly number[]): Promise<number> {
  const folds: number[] = []
  let sampleCount = 0
  for (const fold of usableFolds) {
    if (sampleCount >= SAMPLES_TO_CHOOSE_PENALTY) break
    folds.push(fold)
    sampleCount += validation.sampleCount(fold)
  }
  if (folds.length === 0) return FIRST_PENALTY
  const lossAt = async (penaltyIndex: number): Promise<number> => {
    if (penaltyIndex < 0 || penaltyIndex >= PENALTIES.length) return Infinity
    const held: HeldOut[] = []
    for (const fold of folds) held.push(await validation.heldOut(fold, penaltyIndex))
    const { candidates, labels } = joinHeldOut(held)
    const all = Int32Array.from(labels.keys())
    return meanLogLoss(candidates, labels, all, fitCalibration(candidates, labels, all))
  }
  let best = FIRST_PENALTY
  let loss = await lossAt(best)
  for (const direction of [1, -1]) {
    let next = await lossAt(best + direction)
    const hasImproved = next < loss
    while (next < loss) {
      best += direction
      loss = next
      next = await lossAt(best + direction)
    }
    if (hasImproved) break
  }
  return best
}

interface LearnedRule {
  readonly rule: DecisionRule
  readonly own: OwnEvidence | undefined
  readonly evidence: HeldOutEvidence
}

/** Calibration and off-topic rule from the held-out samples; the defaults where nothing was held out. */
function learnRule(held: readonly HeldOut[], set: TaughtSet): LearnedRule {
  const { onTopic, offTopicClass } = set
  if (held.length === 0) {
    return {
      rule: { calibration: DEFAULT_CALIBRATION, topicRule: topicRuleOf(onTopic), offTopicClass },
      own: undefined,
      evidence: { answeredRight: [], withheld: [] }
    }
  }
  const { candidates, labels } = joinHeldOut(held)
  const all = Int32Array.from(labels.keys())
  const calibration = fitCalibration(candidates, labels, all)
  const known = [...all].filter((i) => labels[i] !== offTopicClass)
  const asIfAlone = { calibration, topicRule: topicRuleOf(onTopic), offTopicClass }
  const answeredRight = known.flatMap((i) => {
    const decision = decide(candidates, i, asIfAlone)
    return decision?.ranked[0]!.class === labels[i] ? [decision!.evidence] : []
  })
  const withheld = known.flatMap(
    (i) => topicEvidence(candidates, i, scoresOf(candidates, i, calibration), labels[i]!, offTopicClass ?? -1) ?? []
  )
  const own = ownEvidenceOf(onTopic, answeredRight, withheld)
  const topicRule = topicRuleOf({ ...onTopic, ...(own !== undefined && { own }) })
  return { rule: { calibration, topicRule, offTopicClass }, own, evidence: { answeredRight, withheld } }
}

/** Judges each fold by the rule learned from the other folds, so that no sample is judged by a rule that it taught. */
function judgeOutOfFold(held: readonly HeldOut[], set: TaughtSet): JudgedQuestion[] {
  const { offTopicClass } = set
  return held.flatMap((fold) => {
    const others = held.filter((other) => other !== fold)
    const { rule } = learnRule(others.length > 0 ? others : held, set)
    const judge = (i: number, label: number | undefined, withheld?: number): JudgedQuestion[] => {
      const decision = decide(fold.candidates, i, rule, withheld)
      if (decision === undefined) return []
      const { ranked, isOffTopic } = decision
      return [{ question: fold.samples[i]!, label, ranked, topicScore: ranked[0]!.confidence, isOffTopic }]
    }
    return [...fold.labels.entries()].flatMap(([i, label]) =>
      label === offTopicClass ? judge(i, undefined) : [...judge(i, label), ...judge(i, undefined, label)]
    )
  })
}

function describeGaps(
  { labels, classCount }: TrainingSet,
  held: readonly HeldOut[],
  own: OwnEvidence | undefined,
  isLarge: boolean
): string[] {
  const gaps: string[] = []
  const heldLabels = held.flatMap((fold) => [...fold.labels]).filter((label) => label < classCount)
  const measured = new Set(heldLabels)
  const measuredCount = heldLabels.length
  if (measuredCount === 0) {
    gaps.push(
      'Accuracy and calibration are not measured, and the off-topic rule is that of other mentors: ' +
        'no answer has two different samples.'
    )
    return gaps
  }
  if (isLarge) gaps.push('Measured on one fold only, with the usual penalty: the mentor is too large for more.')
  const single = classCount - measured.size
  if (single > 0 && !isLarge) {
    gaps.push(`${single} of ${classCount} answers have no two different samples: they are trained on but not measured.`)
  }
  if (classCount === 1)
    gaps.push('How well off-topic questions are told apart is not measured: there is one answer only.')
  const share = ownShare(own)
  if (classCount > 1 && share < OWN_RULE_SHARE) {
    gaps.push(
      `The off-topic rule is to ${Math.round(100 * (1 - share))}% that of other mentors: ` +
        `${measuredCount} of ${labels.length} samples could be held out.`
    )
  }
  return gaps
}

function joinHeldOut(held: readonly HeldOut[]): { candidates: Candidates; labels: Int32Array } {
  const parts = held.map((fold) => fold.candidates)
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  const width = parts[0]!.width
  const candidates = {
    count,
    width,
    classes: new Int32Array(count * width),
    logits: new Float64Array(count * width),
    similarities: new Float64Array(count * width),
    gramSimilarities: new Float64Array(count * width)
  }
  const labels = new Int32Array(count)
  let from = 0
  for (const fold of held) {
    candidates.classes.set(fold.candidates.classes, from * width)
    candidates.logits.set(fold.candidates.logits, from * width)
    candidates.similarities.set(fold.candidates.similarities, from * width)
    candidates.gramSimilarities.set(fold.candidates.gramSimilarities, from * width)
    labels.set(fold.labels, from)
    from += fold.candidates.count
  }
  return { candidates, labels }
}

function takeTexts({ features, grams }: EncodedTexts, indices: Int32Array): EncodedTexts {
  const { columns } = features
  const values = new Float32Array(indices.length * columns)
  for (const [i, index] of indices.entries()) {
    values.set(features.values.subarray(index * columns, (index + 1) * columns), i * columns)
  }
  const taken = { features: { values, rows: indices.length, columns } }
  return grams === undefined ? taken : { ...taken, grams: Array.from(indices, (index) => grams[index]!) }
}
