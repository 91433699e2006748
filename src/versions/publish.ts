/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { ModelStore, NewVersion } from './model-store.ts'
import { decidePromotion, type PromotionDecision } from './promotion.ts'

/** Dependencies of {@link publishVersion}. */
export interface PublishDependencies {
  readonly models: ModelStore
  /** Share of samples by which a version may be worse than the live one and still be promoted. */
  readonly promotionMargin: number
}

/** Options of {@link publishVersion}. */
export interface PublishOptions {
  /** Whether the version becomes live even when it is worse than the live one. */
  readonly isForced: boolean
  /** Who publishes, for the record. */
  readonly by: string
}

/** Outcome of publishing. */
export interface Published {
  readonly version: number
  readonly promotion: PromotionDecision
}

/** Stores a version, trained or imported, and makes it live unless it is worse than the live one. */
export async function publishVersion(
  { models, promotionMargin }: PublishDependencies,
  name: string,
  added: NewVersion,
  { isForced, by }: PublishOptions
): Promise<Published> {
  const { version } = await models.add(name, added)
  const promotion = isForced
    ? ({ outcome: 'promoted' } as const)
    : await judgePromotion(models, name, version, promotionMargin)
  if (promotion.outcome === 'promoted') await models.promote(name, version, by)
  return { version, promotion }
}

/**
 * Decides by the promotion gate whether a version may replace the live one.
 * @param margin share of samples by which it may be worse
 */
export async function judgePromotion(
  models: ModelStore,
  name: string,
  version: number,
  margin: number
): Promise<PromotionDecision> {
  const live = await models.liveVersion(name)
  const candidate = async (number: number) => {
    const details = await models.find(name, number)
    return details && { architecture: details.architecture, judgements: await models.judgements(name, number) }
  }
  const judged = await candidate(version)
  if (judged === undefined || live === version) return { outcome: 'promoted' }
  return decidePromotion(live === undefined ? undefined : await candidate(live), judged, margin)
}
