/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mineParaphrases } from '../embedding/paraphrase-mining.ts'
import type { Rows } from '../embedding/similarity.ts'
import type { AskedQuestion } from '../answering/answer-record.ts'

/** A question with all its repetitions; texts that are equal when sanitized are one question. */
export interface ReviewQuestion {
  /** The text as last asked. */
  readonly question: string
  /** How often it was asked. */
  readonly count: number
  readonly last: AskedQuestion
}

/** A cluster of similar questions, to be judged together. */
export interface ReviewCluster {
  /** Positions of the questions: the centre of the cluster, then the others, the nearest first. */
  readonly members: readonly number[]
  /** Sum of the doubts of its questions, each weighted by how often it was asked. */
  readonly doubt: number
}

/** Minimum cosine similarity to the centre of a cluster. */
const CLUSTER_COSINE = 0.75

/**
 * How much a person's judgement of a question would tell, 0 to 1: 1 for a refused question, one minus the classifier's
 * margin for an answered one.
 */
export function doubtOf({ answerType, margin }: Pick<AskedQuestion, 'answerType' | 'margin'>): number {
  if (answerType === 'OFF_TOPIC') return 1
  return 1 - Math.min(1, Math.max(0, margin ?? 0))
}

/**
 * Clusters questions; the clusters with the most doubt come first.
 *
 * The question whose neighbourhood holds the most doubt takes all its neighbours; this repeats with the remaining
 * questions.
 * Time O(n² · dimensions) for the neighbours; yields to the event loop in between.
 * @param embeddings embeddings of the questions, n × dimensions
 * @param maxClusters maximum number of clusters; the remaining questions are in none
 */
export async function clusterQuestions(
  questions: readonly ReviewQuestion[],
  embeddings: Rows,
  maxClusters: number,
  signal?: AbortSignal
): Promise<ReviewCluster[]> {
  const doubts = questions.map(({ count, last }) => count * doubtOf(last))
  const neighbours: number[][] = questions.map(() => [])
  const pairs = await mineParaphrases(embeddings, signal === undefined ? {} : { signal })
  for (const { i, j, score } of pairs) {
    // Pairs come best first, so each list of neighbours is ordered too.
    if (score < CLUSTER_COSINE) break
    neighbours[i]!.push(j)
    neighbours[j]!.push(i)
  }
  const near = questions.map((_, i) => neighbours[i]!.reduce((sum, index) => sum + doubts[index]!, doubts[i]!))
  const left = new Set(questions.keys())
  const clusters: ReviewCluster[] = []
  while (left.size > 0 && clusters.length < maxClusters) {
    let leader = -1
    for (const index of left) if (leader < 0 || near[index]! > near[leader]!) leader = index
    const members = [leader, ...neighbours[leader]!.filter((index) => left.has(index))]
    clusters.push({ members, doubt: near[leader]! })
    for (const member of members) {
      left.delete(member)
      for (const index of neighbours[member]!) near[index]! -= doubts[member]!
    }
  }
  return clusters
}
