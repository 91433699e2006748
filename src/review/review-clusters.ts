/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mineParaphrases } from '../embedding/paraphrase-mining.ts'
import type { Rows } from '../embedding/similarity.ts'
import type { AskedQuestion } from '../answering/answer-record.ts'

/** A question in all its askings; texts that are the same when sanitized are one. */
export interface ReviewQuestion {
  /** As asked last. */
  readonly question: string
  /** How often it was asked. */
  readonly count: number
  readonly last: AskedQuestion
}

/** Questions that mean about the same, to be judged at once. */
export interface ReviewCluster {
  /** Positions of the questions: the one that all the others are near to, then these, the nearest first. */
  readonly members: readonly number[]
  /** How much a judgement would tell: the doubts of all askings. */
  readonly doubt: number
}

/** Cosine from which on two questions are one cluster. */
const CLUSTER_COSINE = 0.75

/**
 * How much a person's judgement of a question is missing, 0 to 1: all of a refused one, and of an answered one what the
 * classifier's margin leaves.
 */
export function doubtOf({ answerType, margin }: Pick<AskedQuestion, 'answerType' | 'margin'>): number {
  if (answerType === 'OFF_TOPIC') return 1
  return 1 - Math.min(1, Math.max(0, margin ?? 0))
}

/**
 * Clusters questions; the clusters where a judgement tells most come first.
 *
 * The question whose neighbourhood holds the most doubt takes all its neighbours, then the next one of those that are left.
 * Time O(n² · dimensions) for the neighbours; lets the event loop run between.
 * @param embeddings of the questions, n × dimensions
 * @param maxClusters so many at most; questions beyond are in none
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
    // The best pair comes first, so that each list is ordered too.
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
