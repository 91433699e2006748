/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { DamagedFileError } from '../storage/sealed-file.ts'
import { DEFAULT_CALIBRATION } from './calibration.ts'
import { greatest, MAX_CANDIDATES, type Candidates } from './candidates.ts'
import { GramIndex, gramsOf, type Grams } from './character-grams.ts'
import { decide, type DecisionRule } from './decision.ts'
import { dotFloat32, dotInt8 } from './embedding-products.ts'
import type { ArrayReader, NumberArray } from './model-arrays.ts'
import { topicScore, type TopicRule } from './off-topic.ts'
import type { AskedBeside, Prediction } from './prediction.ts'
import type { TrainedSoftmax, TrainingSet } from './train-softmax.ts'

/** Of models before character n-grams: a line drawn in the score, and a confidence that knew nothing of what is off topic. */
const ScoreRule = Type.Object({
  intercept: Type.Number(),
  logOddsWeight: Type.Number(),
  similarityWeight: Type.Number(),
  threshold: Type.Number()
})

const ConfidenceRule = Type.Object({
  intercept: Type.Number(),
  logOddsWeight: Type.Number(),
  marginWeight: Type.Number(),
  similarityWeight: Type.Number(),
  gramWeight: Type.Number(),
  shareExponent: Type.Number({ exclusiveMinimum: 0 }),
  leastConfidence: Type.Number()
})

/** What the header of a softmax model has beside the sizes of every model. */
export const SoftmaxHeader = {
  calibration: Type.Object({
    logitWeight: Type.Number(),
    similarityWeight: Type.Number(),
    gramWeight: Type.Optional(Type.Number())
  }),
  topicRule: Type.Union([ConfidenceRule, ScoreRule]),
  sampleCount: Type.Integer({ minimum: 1 }),
  /** Whether a class follows the named ones, of what was taught as off topic. */
  hasOffTopicClass: Type.Optional(Type.Boolean()),
  /** n-grams of all samples together. */
  gramCount: Type.Optional(Type.Integer({ minimum: 0 }))
}
const Parts = Type.Object(SoftmaxHeader)
type Parts = Static<typeof Parts>

/**
 * A softmax model's header and arrays, little-endian: coefficients (f32, classes × d), intercepts (f32), label of each sample
 * (i32), scale of each sample (f32), samples (i8, n × d; times scale / 127 gives the embedding), number of n-grams of each sample
 * (i32), n-grams (u16).
 *
 * Samples are rounded to 8 bits: a quarter of the memory, and a cosine moves by 0.002 at most (60,000 pairs of Banking77).
 */
export function softmaxFileOf(
  { softmax, calibration, topicRule, offTopicClass }: DecisionRule & Pick<TrainedSoftmax, 'softmax'>,
  { features, grams, labels, offTopic, classCount }: TrainingSet
): { header: Parts; arrays: readonly NumberArray[] } {
  const isTaught = offTopicClass !== undefined && offTopic !== undefined
  const added = isTaught ? offTopic.features.rows : 0
  const rows = features.rows + added
  const { columns } = features
  const valuesOf = (i: number): Float32Array => {
    const from = i < features.rows ? features.values : offTopic!.features.values
    const start = (i < features.rows ? i : i - features.rows) * columns
    return from.subarray(start, start + columns)
  }
  const scales = new Float32Array(rows)
  const samples = new Int8Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    const values = valuesOf(i)
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    scales[i] = scale
    if (scale === 0) continue
    for (let j = 0; j < columns; j++) samples[i * columns + j] = Math.round((values[j]! / scale) * 127)
  }
  const allLabels = Int32Array.from({ length: rows }, (_, i) => labels[i] ?? classCount)
  const allGrams: readonly Grams[] = grams === undefined ? [] : [...grams, ...((isTaught && offTopic.grams) || [])]
  const gramCounts = Int32Array.from({ length: rows }, (_, i) => allGrams[i]?.length ?? 0)
  const joined = new Uint16Array(gramCounts.reduce((sum, count) => sum + count, 0))
  let at = 0
  for (const ofSample of allGrams) {
    joined.set(ofSample, at)
    at += ofSample.length
  }
  return {
    header: {
      calibration,
      topicRule,
      sampleCount: rows,
      hasOffTopicClass: isTaught,
      gramCount: joined.length
    },
    arrays: [softmax.coefficients, softmax.intercepts, allLabels, scales, samples, gramCounts, joined]
  }
}

/** A model's samples, as questions are held against them. */
interface Samples {
  readonly dimensions: number
  /** Samples of each class. */
  readonly ofClass: readonly (readonly number[])[]
  readonly scales: Float32Array
  readonly values: Int8Array
  readonly index: GramIndex | undefined
}

/** Reads what {@link softmaxFileOf} made, or a version before it, and answers by it. */
export function softmaxPredictor(
  header: Parts & { readonly classIds: readonly string[]; readonly dimensions: number },
  reader: ArrayReader
): (embedding: Float32Array, topK: number, beside: AskedBeside) => Prediction {
  const { classIds, dimensions, topicRule } = header
  const classCount = classIds.length + (header.hasOffTopicClass === true ? 1 : 0)
  const coefficients = reader.read(Float32Array, classCount * dimensions)
  const intercepts = reader.read(Float32Array, classCount)
  const samples = readSamples(header, classCount, reader)
  const width = Math.min(MAX_CANDIDATES, classCount)
  const calibration = { ...DEFAULT_CALIBRATION, ...header.calibration }
  if (samples.index === undefined) calibration.gramWeight = 0
  const rule: DecisionRule = {
    calibration,
    topicRule: 'threshold' in topicRule ? ofScores(topicRule) : topicRule,
    offTopicClass: header.hasOffTopicClass === true ? classIds.length : undefined
  }
  return (embedding, topK, { text }) => {
    const all = Float64Array.from(
      intercepts,
      (intercept, k) => dotFloat32(embedding, coefficients, k * dimensions) + intercept
    )
    const candidates = candidatesOf(embedding, text, all, width, samples)
    // Of no class but that of what is off topic: it is one candidate, and at least one answer is another.
    const decision = decide(candidates, 0, rule)!
    const { evidence, topicProbability } = decision
    // In a model before, the confidence is that of the class among those known.
    const unit = 'threshold' in topicRule ? 1 / topicProbability : 1
    const ranked = decision.ranked
      .slice(0, topK)
      .map((one) => ({ classId: classIds[one.class]!, confidence: Math.min(1, one.confidence * unit) }))
    const best = ranked[0]!
    if ('threshold' in topicRule) {
      const score = topicScore(rule.topicRule, evidence)
      return { ...best, isOffTopic: score < topicRule.threshold, topicScore: score, ranked }
    }
    return {
      ...best,
      isOffTopic: decision.isOffTopic,
      topicScore: best.confidence,
      ranked,
      reasons: {
        share: decision.share,
        topicProbability,
        leastConfidence: topicRule.leastConfidence,
        similarity: evidence.similarity,
        gramSimilarity: evidence.gramSimilarity
      }
    }
  }
}

function ofScores({ intercept, logOddsWeight, similarityWeight }: Static<typeof ScoreRule>): TopicRule {
  return {
    intercept,
    logOddsWeight,
    marginWeight: 0,
    similarityWeight,
    gramWeight: 0,
    shareExponent: 1,
    leastConfidence: 0
  }
}

function readSamples(
  header: Parts & { readonly dimensions: number },
  classCount: number,
  reader: ArrayReader
): Samples {
  const { dimensions, sampleCount, gramCount = 0 } = header
  const labels = reader.read(Int32Array, sampleCount)
  const scales = reader.read(Float32Array, sampleCount)
  const values = reader.read(Int8Array, sampleCount * dimensions)
  const ofClass: number[][] = Array.from({ length: classCount }, () => [])
  for (const [sample, label] of labels.entries()) {
    const samples = ofClass[label]
    if (samples === undefined) throw new DamagedFileError('a sample of no class')
    samples.push(sample)
  }
  return { dimensions, ofClass, scales, values, index: readGrams(header, gramCount, reader) }
}

function readGrams({ sampleCount, gramCount }: Parts, length: number, reader: ArrayReader): GramIndex | undefined {
  if (gramCount === undefined) return undefined
  const counts = reader.read(Int32Array, sampleCount)
  const joined = reader.read(Uint16Array, length)
  let end = 0
  const grams = Array.from(counts, (count) => joined.subarray(end, (end += count)))
  if (end !== length) throw new DamagedFileError('n-grams of no sample')
  return length === 0 ? undefined : new GramIndex(grams)
}

function candidatesOf(
  embedding: Float32Array,
  text: string | undefined,
  all: Float64Array,
  width: number,
  { dimensions, ofClass, scales, values, index }: Samples
): Candidates {
  const classes = Int32Array.from(greatest(all, width))
  const alike = index === undefined || text === undefined ? undefined : index.similarities(gramsOf(text))
  const nearest = (k: number, to: (sample: number) => number, least: number): number =>
    ofClass[k]!.reduce((most, sample) => Math.max(most, to(sample)), least)
  const cosine = (sample: number): number => (dotInt8(embedding, values, sample * dimensions) * scales[sample]!) / 127
  return {
    count: 1,
    width,
    classes,
    logits: Float64Array.from(classes, (k) => all[k]!),
    similarities: Float64Array.from(classes, (k) => nearest(k, cosine, -1)),
    gramSimilarities: Float64Array.from(classes, (k) =>
      alike === undefined ? 0 : nearest(k, (sample) => alike[sample]!, 0)
    )
  }
}
