/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A class and the confidence in it. */
export interface RankedAnswer {
  readonly classId: string
  readonly confidence: number
}

export interface Prediction {
  readonly classId: string
  /** `softmax`: probability that the class is right, of whatever may be asked. `ridge`: greatest decision value; the single one of two classes, whichever it speaks for. */
  readonly confidence: number
  /** Whether the off-topic rule refuses the question. */
  readonly isOffTopic: boolean
  /** The greater, the likelier on topic. */
  readonly topicScore: number
  /** The best classes, the predicted one first. */
  readonly ranked: readonly RankedAnswer[]
  /** Of `softmax`: what the confidence is made of. */
  readonly reasons?: DecisionReasons
  /** The samples that tell most, if they were asked for and the model knows their texts; the nearest first. */
  readonly nearest?: readonly NearSample[]
}

/** A sample of a model, as near as it is to a question. */
export interface NearSample {
  readonly text: string
  /** Undefined of what was taught as off topic. */
  readonly classId: string | undefined
  /** Cosine of the embeddings. */
  readonly similarity: number
  /** Cosine of the character n-grams. */
  readonly gramSimilarity: number
}

/** What a `softmax` model's decision is made of. */
export interface DecisionReasons {
  /** Share of the class among all that could be meant. */
  readonly share: number
  /** Probability that some class fits. */
  readonly topicProbability: number
  /** A question whose confidence is below this is off topic. */
  readonly leastConfidence: number
  /** Cosine of the embedding to the nearest sample. */
  readonly similarity: number
  /** Cosine of the character n-grams to the nearest sample. */
  readonly gramSimilarity: number
}

/** What a model may want beside the embedding. */
export interface AskedBeside {
  /** As they are, not standardised. */
  readonly numbers?: Float64Array | undefined
  /** What the embedding was made of, of one text column: without it, similarity of characters counts for nothing. */
  readonly text?: string | undefined
  /** How many of the nearest samples are wanted. @default 0 */
  readonly nearestCount?: number | undefined
}
