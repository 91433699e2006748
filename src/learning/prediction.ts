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
   * `softmax`: probability that the class is right for a question of any kind. `ridge`: greatest decision score; with
   * two classes the single score, whichever class is predicted.
   */
  readonly confidence: number
  /** Whether the off-topic rule refuses the question. */
  readonly isOffTopic: boolean
  /** Score of being on topic: the greater, the likelier. */
  readonly topicScore: number
  /** The best classes, the predicted one first. */
  readonly ranked: readonly RankedAnswer[]
  /** Components of the confidence, for `softmax`. */
  readonly reasons?: DecisionReasons
  /** The most relevant samples, the nearest first, if they were requested and the model has their texts. */
  readonly nearest?: readonly NearSample[]
}

/** A sample of a model with its similarities to a question. */
export interface NearSample {
  readonly text: string
  /** Undefined for an off-topic sample. */
  readonly classId: string | undefined
  /** Cosine similarity of the embeddings. */
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
  /** Cosine similarity of the embedding to the nearest sample. */
  readonly similarity: number
  /** Cosine similarity of the character n-grams to the nearest sample. */
  readonly gramSimilarity: number
}

/** Inputs of a model besides the embedding. */
export interface AskedBeside {
  /** Numeric features, not standardised. */
  readonly numbers?: Float64Array | undefined
  /** The encoded text, for models of one text column. Without it, the similarity of character n-grams is left out. */
  readonly text?: string | undefined
  /** Number of nearest samples to return. @default 0 */
  readonly nearestCount?: number | undefined
}
