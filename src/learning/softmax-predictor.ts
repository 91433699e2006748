/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Static } from 'typebox'
import { DEFAULT_CALIBRATION, type Calibration } from './calibration.ts'
import { greatest, MAX_CANDIDATES, type Candidates } from './candidates.ts'
import { GramIndex, gramsOf } from './character-grams.ts'
import { decide, type DecisionRule } from './decision.ts'
import { addProducts, dotInt8 } from './embedding-products.ts'
import type { ArrayReader } from './model-arrays.ts'
import { topicScore, type TopicRule } from './off-topic.ts'
import type { AskedBeside, NearSample, Prediction } from './prediction.ts'
import { readSoftmaxFile, type ScoreRule, type SoftmaxFile, type SoftmaxHeader } from './softmax-file.ts'

/** A model's samples, with which questions are compared. */
interface Samples extends Pick<SoftmaxFile, 'scales' | 'samples' | 'labels' | 'textOf'> {
  readonly dimensions: number
  /** Samples of each class. */
  readonly ofClass: readonly (readonly number[])[]
  readonly index: GramIndex | undefined
}

/** A question, prepared for the comparison with samples. */
interface Asked {
  readonly embedding: Float32Array
  /** Cosine similarity of the n-grams to each sample; undefined without texts. */
  readonly alike: Float32Array | undefined
}

/** Makes a predictor from a model file of `softmaxFileOf` or of an earlier version. */
export function softmaxPredictor(
  header: SoftmaxHeader & { readonly classIds: readonly string[]; readonly dimensions: number },
  reader: ArrayReader
): (embedding: Float32Array, topK: number, beside: AskedBeside) => Prediction {
  const { classIds, dimensions, topicRule } = header
  const file = readSoftmaxFile(header, reader)
  const { classCount, coefficients, intercepts } = file
  const samples = samplesOf(file, dimensions)
  const width = Math.min(MAX_CANDIDATES, classCount)
  const calibration = { ...DEFAULT_CALIBRATION, ...header.calibration }
  if (samples.index === undefined) calibration.gramWeight = 0
  const rule: DecisionRule = {
    calibration,
    topicRule: 'threshold' in topicRule ? ofScores(topicRule) : topicRule,
    offTopicClass: header.hasOffTopicClass === true ? classIds.length : undefined
  }
  return (embedding, topK, { text, nearestCount = 0 }) => {
    const asked = { embedding, alike: text === undefined ? undefined : samples.index?.similarities(gramsOf(text)) }
    const logits = Float64Array.from(intercepts)
    addProducts(embedding, coefficients, logits)
    const candidates = candidatesOf(asked, logits, width, samples)
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
        nearest: nearestSamples(asked, candidates.classes, samples, calibration)
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

function samplesOf({ classCount, labels, scales, samples, grams, textOf }: SoftmaxFile, dimensions: number): Samples {
  const ofClass: number[][] = Array.from({ length: classCount }, () => [])
  for (const [sample, label] of labels.entries()) ofClass[label]!.push(sample)
  const index = grams === undefined ? undefined : new GramIndex(grams)
  return { dimensions, ofClass, labels, scales, samples, textOf, index }
}

function candidatesOf(asked: Asked, logits: Float64Array, width: number, samples: Samples): Candidates {
  const classes = Int32Array.from(greatest(logits, width))
  const similarities = new Float64Array(width).fill(-1)
  const gramSimilarities = new Float64Array(width)
  for (let place = 0; place < width; place++) {
    for (const sample of samples.ofClass[classes[place]!]!) {
      similarities[place] = Math.max(similarities[place]!, cosineTo(sample, asked, samples))
      if (asked.alike !== undefined) {
        gramSimilarities[place] = Math.max(gramSimilarities[place]!, asked.alike[sample]!)
      }
    }
  }
  return {
    count: 1,
    width,
    classes,
    logits: Float64Array.from(classes, (k) => logits[k]!),
    similarities,
    gramSimilarities
  }
}

function cosineTo(sample: number, { embedding }: Asked, { samples, scales, dimensions }: Samples): number {
  return (dotInt8(embedding, samples, sample * dimensions) * scales[sample]!) / 127
}

/**
 * Finds the samples of some classes with the greatest weighted sum of both similarities; none when the model has no
 * texts.
 */
function nearestSamples(
  asked: Asked,
  classes: Int32Array,
  samples: Samples,
  { similarityWeight, gramWeight }: Calibration
): (Omit<NearSample, 'classId'> & { readonly sample: number })[] {
  const { textOf } = samples
  if (textOf === undefined) return []
  const near = [...classes].flatMap((k) =>
    samples.ofClass[k]!.map((sample) => ({
      sample,
      similarity: cosineTo(sample, asked, samples),
      gramSimilarity: asked.alike?.[sample] ?? 0
    }))
  )
  const weightOf = (one: (typeof near)[number]) => similarityWeight * one.similarity + gramWeight * one.gramSimilarity
  return near.toSorted((a, b) => weightOf(b) - weightOf(a)).map((one) => ({ ...one, text: textOf(one.sample) }))
}
