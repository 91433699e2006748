/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { VersionArchitecture } from './model-store.ts'
import type { Judgement } from '../learning/judgement.ts'

/** A version as the promotion gate compares it. */
export interface Candidate {
  readonly architecture: VersionArchitecture
  readonly judgements: readonly Judgement[]
}

export type PromotionDecision =
  | { readonly outcome: 'promoted' }
  /** `reason` is a text for people. */
  | { readonly outcome: 'refused'; readonly reason: string }

/** Fewer common samples decide nothing: with 20, one more error is already a share of 5%. */
const MIN_COMMON_SAMPLES = 20

/**
 * Decides whether a version may replace the live one. Compares their out-of-fold results on the samples that both have:
 * new and harder samples do not make a model worse. A version of another architecture, which somebody chose, is always
 * promoted.
 * @param margin share of the common samples by which the candidate may be worse
 */
export function decidePromotion(live: Candidate | undefined, candidate: Candidate, margin: number): PromotionDecision {
  if (live === undefined || live.architecture !== candidate.architecture) return { outcome: 'promoted' }
  const wasRight = new Map(live.judgements.map(({ sample, isRight }) => [sample, isRight]))
  const common = new Map(
    candidate.judgements.filter(({ sample }) => wasRight.has(sample)).map(({ sample, isRight }) => [sample, isRight])
  )
  if (common.size < MIN_COMMON_SAMPLES) return { outcome: 'promoted' }
  const accuracyNow = [...common.values()].filter(Boolean).length / common.size
  const accuracyBefore = [...common.keys()].filter((sample) => wasRight.get(sample) === true).length / common.size
  if (accuracyNow >= accuracyBefore - margin) return { outcome: 'promoted' }
  return {
    outcome: 'refused',
    reason:
      `of ${common.size} samples that both were judged on it has ${percent(accuracyNow)} right, ` +
      `the live version ${percent(accuracyBefore)}; at most ${percent(margin)} less is let pass`
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`
}
