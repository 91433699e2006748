/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Static } from 'typebox'
import { DEFAULT_CALIBRATION, type Calibration } from './calibration.ts'
import { MAX_CANDIDATES, type Candidates } from './candidates.ts'
import { GramIndex, gramsOf, type Grams } from './character-grams.ts'
import { ClassRanking, type RankedLogits } from './class-ranking.ts'
import { decide, type DecisionRule } from './decision.ts'
import { INT16_STEPS, toInt16, type EmbeddingProducts } from './embedding-products.ts'
import type { ArrayReader } from './model-arrays.ts'
import { topicScore, type TopicRule } from './off-topic.ts'
import type { AskedBeside, NearSample, Prediction } from './prediction.ts'
import { readSoftmaxFile, type ScoreRule, type SoftmaxFile, type SoftmaxHeader } from './softmax-file.ts'

/** Greatest magnitude of a sample's number as it is stored. */
const INT8_STEPS = 127

/** A model's samples, with which questions are compared. */
interface Samples extends Pick<SoftmaxFile, 'scales' | 'samples' | 'labels' | 'textOf'> {
  /** Samples of each class. */
  readonly ofClass: readonly Int32Array[]
  readonly index: GramIndex | undefined
  readonly room: Room
}

/** Arrays that every question uses again: new ones would cost as much as what is computed in them. */
interface Room {
  /** Elements for the samples of as many classes as there are candidates. */
  readonly samples: Int32Array
  readonly products: Int32Array
  /** One element for each sample of the model. */
  readonly sums: Float32Array
}

/** A question, prepared for the comparison with samples. */
interface Asked {
  /** Of {@link toInt16}. */
  readonly embedding: Int16Array
  /** Undefined without texts. */
  readonly grams: Grams | undefined
}

/** Makes a predictor from a model file of `softmaxFileOf` or of an earlier version. */
export function softmaxPredictor(
  header: SoftmaxHeader & { readonly classIds: readonly string[]; readonly dimensions: number },
  reader: ArrayReader,
  products: EmbeddingProducts
): (embedding: Float32Array, topK: number, beside: AskedBeside) => Prediction {
  const { classIds, dimensions, topicRule } = header
  const file = readSoftmaxFile(header, reader)
  const { classCount, coefficients, intercepts } = file
  const samples = samplesOf(file)
  const ranking = new ClassRanking(coefficients, intercepts, dimensions, products)
  const width = Math.min(MAX_CANDIDATES, classCount)
  const calibration = { ...DEFAULT_CALIBRATION, ...header.calibration }
  if (samples.index === undefined) calibration.gramWeight = 0
  const rule: DecisionRule = {
    calibration,
    topicRule: 'threshold' in topicRule ? ofScores(topicRule) : topicRule,
    offTopicClass: header.hasOffTopicClass === true ? classIds.length : undefined
  }
  return (embedding, topK, { text, nearestCount = 0 }) => {
    const grams = text === undefined || samples.index === undefined ? undefined : gramsOf(text)
    const integers = toInt16(embedding)
    const likeliest = ranking.best(embedding, integers, width)
    const near = nearSamplesOf({ embedding: integers, grams }, likeliest.classes, samples, products)
    const candidates = candidatesOf(near, likeliest, samples)
    // Never undefined: the off-topic class is only one candidate, and at least one answer is another.
    const decision = decide(candidates, 0, rule)!
    const { evidence, topicProbability } = decision
    // In models of earlier versions the confidence is the class's share among the known classes.
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
      },
      ...(nearestCount > 0 && {
        nearest: nearestSamples(near, samples, calibration)
          .slice(0, nearestCount)
          .map(({ sample, ...one }) => ({ ...one, classId: classIds[samples.labels[sample]!] }))
      })
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

function samplesOf({ classCount, labels, scales, samples, grams, textOf }: SoftmaxFile): Samples {
  const grouped: number[][] = Array.from({ length: classCount }, () => [])
  for (const [sample, label] of labels.entries()) grouped[label]!.push(sample)
  const ofClass = grouped.map((ofOne) => Int32Array.from(ofOne))
  const index = grams === undefined ? undefined : new GramIndex(grams)
  const sizes = ofClass.map(({ length }) => length).toSorted((a, b) => b - a)
  const most = sizes.slice(0, MAX_CANDIDATES).reduce((sum, size) => sum + size, 0)
  const room = { samples: new Int32Array(most), products: new Int32Array(most), sums: new Float32Array(labels.length) }
  return { ofClass, labels, scales, samples, textOf, index, room }
}

/** The samples of a question's candidate classes, class by class, with what they are compared by. */
interface NearSamples {
  readonly samples: Int32Array
  /** Product of each sample with the question, as integers of both. */
  readonly products: Int32Array
  /** Cosine similarity of each sample's n-grams to the question's; undefined without texts. */
  readonly alike: Float32Array | undefined
}

function nearSamplesOf(
  { embedding, grams }: Asked,
  classes: Int32Array,
  { ofClass, samples, index, room }: Samples,
  { multiplyRows }: EmbeddingProducts
): NearSamples {
  let count = 0
  for (let place = 0; place < classes.length; place++) {
    const ofOne = ofClass[classes[place]!]!
    room.samples.set(ofOne, count)
    count += ofOne.length
  }
  const near = room.samples.subarray(0, count)
  const products = room.products.subarray(0, count)
  if (count > 0) multiplyRows(embedding, samples, near, products)
  return { samples: near, products, alike: grams && index?.similaritiesTo(near, grams, room.sums) }
}

function similarityOf({ samples, products }: NearSamples, i: number, { scales }: Samples): number {
  return (products[i]! / INT16_STEPS) * (scales[samples[i]!]! / INT8_STEPS)
}

function candidatesOf(near: NearSamples, { classes, logits }: RankedLogits, samples: Samples): Candidates {
  const width = classes.length
  const similarities = new Float64Array(width).fill(-1)
  const gramSimilarities = new Float64Array(width)
  let i = 0
  for (let place = 0; place < width; place++) {
    let nearest = -1
    let nearestByGrams = 0
    for (const end = i + samples.ofClass[classes[place]!]!.length; i < end; i++) {
      nearest = Math.max(nearest, similarityOf(near, i, samples))
      if (near.alike !== undefined) nearestByGrams = Math.max(nearestByGrams, near.alike[i]!)
    }
    similarities[place] = nearest
    gramSimilarities[place] = nearestByGrams
  }
  return { count: 1, width, classes, logits, similarities, gramSimilarities }
}

/** Sorts samples by the weighted sum of both similarities, the greatest first; none when the model has no texts. */
function nearestSamples(
  near: NearSamples,
  samples: Samples,
  { similarityWeight, gramWeight }: Calibration
): (Omit<NearSample, 'classId'> & { readonly sample: number })[] {
  const { textOf } = samples
  if (textOf === undefined) return []
  const found = Array.from(near.samples, (sample, i) => ({
    sample,
    similarity: similarityOf(near, i, samples),
    gramSimilarity: near.alike?.[i] ?? 0
  }))
  const weightOf = (one: (typeof found)[number]) => similarityWeight * one.similarity + gramWeight * one.gramSimilarity
  return found.toSorted((a, b) => weightOf(b) - weightOf(a)).map((one) => ({ ...one, text: textOf(one.sample) }))
}
