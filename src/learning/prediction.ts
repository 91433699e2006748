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
  /**
   * `softmax`: probability that the class is right for a question of any kind. `ridge`: greatest decision value; with two
   * classes the single value, whichever class it speaks for.
   */
  readonly confidence: number
  /** Whether the off-topic rule refuses the question. */
  readonly isOffTopic: boolean
  /** The greater, the likelier on topic. */
  readonly topicScore: number
  /** The best classes, the predicted one first. */
  readonly ranked: readonly RankedAnswer[]
  /** Components of the confidence, for `softmax`. */
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

/** Components of a `softmax` model's decision. */
export interface DecisionReasons {
  /** Share of the class in the softmax over the candidates. */
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

/** Inputs of a model beside the embedding. */
export interface AskedBeside {
  /** As they are, not standardised. */
  readonly numbers?: Float64Array | undefined
  /** The text that was embedded, for models of one text column. Without it, character similarity is left out. */
  readonly text?: string | undefined
  /** How many of the nearest samples are wanted. @default 0 */
  readonly nearestCount?: number | undefined
}
