/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EmbeddingCache } from '../embedding/embedding-cache.ts'
import type { Encoder } from '../embedding/encoder.ts'
import { ServiceError } from '../errors.ts'
import { repertoireOf } from '../mentor/mentor.ts'
import type { CallerHeaders, MentorSource } from '../mentor/mentor-source.ts'
import { trainingSamples } from '../mentor/training-samples.ts'
import type { Architecture } from './classifier-model.ts'
import { fitInThread } from './fit-in-thread.ts'
import type { ModelFigures } from './fit.ts'
import type { ModelStore, NewVersion } from './model-store.ts'
import { decidePromotion, type PromotionDecision } from './promotion.ts'

/** Where a training is, by the progress it tells: each stage begins at its share of the whole. */
export const TRAINING_STAGES = [
  { stage: 'READING', from: 0 },
  { stage: 'ENCODING', from: 0.02 },
  { stage: 'FITTING', from: 0.4 },
  { stage: 'STORING', from: 0.97 }
] as const

/** The stage that a share of the whole, 0 to 1, falls in. */
export function trainingStage(progress: number): (typeof TRAINING_STAGES)[number]['stage'] {
  return (TRAINING_STAGES.findLast(({ from }) => progress >= from) ?? TRAINING_STAGES[0]).stage
}

/** Name of a mentor's models in a {@link ModelStore}. */
export function modelNameOf(mentorId: string): string {
  return `mentor/${mentorId}`
}

/** What to train. */
export interface TrainRequest {
  readonly mentorId: string
  readonly architecture: Architecture
  /** Whether the version becomes live even when it is worse than the one that is. */
  readonly isForced: boolean
  /** The job that asks: the same one never makes two versions. */
  readonly jobId: string
  /** Who asks. */
  readonly by: string
  /** @default nobody in particular */
  readonly caller?: CallerHeaders
}

/** How to train. */
export interface TrainOptions {
  readonly signal?: AbortSignal
  /** Told the share done so far, 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** What came of a training. */
export interface TrainOutcome {
  readonly version: number
  readonly architecture: Architecture
  readonly promotion: PromotionDecision
  readonly figures: ModelFigures
  readonly notMeasured: readonly string[]
  readonly answerCount: number
  readonly sampleCount: number
  /** Texts that had to be encoded; the other embeddings were known from earlier trainings. */
  readonly encodedCount: number
  readonly durationMs: number
}

/** What a {@link MentorTrainer} is made of. */
export interface MentorTrainerParts {
  readonly mentors: MentorSource
  readonly models: ModelStore
  readonly embeddings: EmbeddingCache
  /** The one that `embeddings` encodes by. */
  readonly encoder: Pick<Encoder, 'revision' | 'dimensions'>
  readonly ridgeOffTopicThreshold: number
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
}

/** Trains mentors, one at a time: a fit takes a core. */
export class MentorTrainer {
  readonly #parts: MentorTrainerParts
  #latest: Promise<unknown> = Promise.resolve()

  constructor(parts: MentorTrainerParts) {
    this.#parts = parts
  }

  /**
   * Trains a mentor from its present answers, stores the version and makes it live, unless it is worse.
   * @throws {ServiceError} NOT_FOUND when there is no such mentor, INVALID_REQUEST when there is nothing to train on
   */
  async train(request: TrainRequest, options: TrainOptions = {}): Promise<TrainOutcome> {
    const training = this.#latest.then(() => this.#train(request, options))
    this.#latest = training.catch(() => undefined)
    return training
  }

  /** Resolves when no thread computes any more. */
  async idle(): Promise<void> {
    await this.#latest
  }

  async #train(request: TrainRequest, { signal, onProgress }: TrainOptions): Promise<TrainOutcome> {
    signal?.throwIfAborted()
    const startMs = performance.now()
    const [, encoding, fitting, storing] = TRAINING_STAGES
    const tell = (from: number, to: number) => (share: number) => onProgress?.(from + share * (to - from))
    const { mentorId, caller = {} } = request
    const found = await this.#parts.mentors.find(mentorId, { caller, isFresh: true })
    if (found === undefined) throw new ServiceError('NOT_FOUND', 'Cannot train: there is no such mentor any more')
    const samples = trainingSamples(repertoireOf(found.mentor).answers)
    if (samples.texts.length === 0) {
      throw new ServiceError('INVALID_REQUEST', 'Cannot train: no answer that counts has a question to train on')
    }
    onProgress?.(encoding.from)
    const { values, encodedCount } = await this.#parts.embeddings.encode(samples.texts, {
      ...(signal !== undefined && { signal }),
      onProgress: tell(encoding.from, fitting.from)
    })
    const { revision: encoderRevision, dimensions } = this.#parts.encoder
    const fit = await fitInThread(
      {
        architecture: request.architecture,
        samples,
        features: { values, rows: samples.texts.length, columns: dimensions },
        encoderRevision,
        ridgeOffTopicThreshold: this.#parts.ridgeOffTopicThreshold
      },
      { ...(signal !== undefined && { signal }), onProgress: tell(fitting.from, storing.from) }
    )
    signal?.throwIfAborted()
    onProgress?.(storing.from)
    const durationMs = Math.round(performance.now() - startMs)
    const version: NewVersion = {
      ...fit,
      details: {
        architecture: request.architecture,
        dataHash: found.revision,
        encoderRevision,
        classCount: samples.answerIds.length,
        sampleCount: samples.texts.length,
        figures: fit.figures,
        notMeasured: fit.notMeasured,
        durationMs,
        jobId: request.jobId,
        trainedBy: request.by
      }
    }
    return {
      ...(await this.#store(request, version)),
      architecture: request.architecture,
      figures: fit.figures,
      notMeasured: fit.notMeasured,
      answerCount: samples.answerIds.length,
      sampleCount: samples.texts.length,
      encodedCount,
      durationMs
    }
  }

  async #store(request: TrainRequest, added: NewVersion): Promise<Pick<TrainOutcome, 'version' | 'promotion'>> {
    const { models, promotionMargin } = this.#parts
    const name = modelNameOf(request.mentorId)
    const { version } = await models.add(name, added)
    const promotion = request.isForced
      ? ({ outcome: 'promoted' } as const)
      : await judgePromotion(models, name, version, promotionMargin)
    if (promotion.outcome === 'promoted') await models.promote(name, version, request.by)
    return { version, promotion }
  }
}

/**
 * Holds a version against the live one.
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
