/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import type { OffTopicBound } from '../learning/off-topic-bound.ts'
import { readOffTopicBound } from './version-report.ts'
import type { EmbeddingCache } from '../embedding/embedding-cache.ts'
import type { Encoder } from '../embedding/encoder.ts'
import type { TrainingSamples } from '../learning/training-samples.ts'
import type { Architecture } from '../learning/classifier-model.ts'
import { fitInThread } from '../learning/fit-in-thread.ts'
import type { FeatureColumn } from '../learning/fit.ts'
import type { ModelFigures } from '../learning/model-figures.ts'
import { partOf } from '../learning/learning-part.ts'
import type { ModelStore, NewVersion } from './model-store.ts'
import type { PromotionDecision } from './promotion.ts'
import { publishVersion } from './publish.ts'
import type { Signature } from '../table/signature.ts'
import { inSpan } from '../tracing/span.ts'

/** Stages of a training, each with the progress at which it begins. */
export const TRAINING_STAGES = [
  { stage: 'READING', from: 0 },
  { stage: 'ENCODING', from: 0.02 },
  { stage: 'FITTING', from: 0.4 },
  { stage: 'STORING', from: 0.97 }
] as const

/** The stage of a training at a progress, 0 to 1. */
export function trainingStage(progress: number): (typeof TRAINING_STAGES)[number]['stage'] {
  return (TRAINING_STAGES.findLast(({ from }) => progress >= from) ?? TRAINING_STAGES[0]).stage
}

/** Data to train on. */
export interface TrainingData {
  readonly architecture: Architecture
  readonly signature: Signature
  /** Hash of the data: equal for equal data. */
  readonly dataHash: string
  /** The samples; a table's have no texts of their own, since its columns hold them. */
  readonly samples: TrainingSamples
  /** Texts to encode, by text column of the signature. */
  readonly texts: readonly (readonly string[])[]
  /** Features of a table. A mentor's only feature is its samples' texts. */
  readonly columns?: readonly FeatureColumn[]
  /** For `logistic`: inverse of the regularization strength. */
  readonly c?: number
  /** For `softmax`: the bound of the off-topic rule; undefined: the live version's, null: none. */
  readonly offTopicBound?: OffTopicBound | null | undefined
}

/** A request to train a version. */
export interface VersionRequest {
  /** Name in the model store. */
  readonly name: string
  /** Reads the data when the training's turn has come. */
  readonly read: (signal: AbortSignal | undefined) => Promise<TrainingData>
  /** Whether what the model is of still exists. @default it always does */
  readonly stillExists?: () => Promise<boolean>
  /** Whether the version becomes live even when it is worse than the live one. */
  readonly isForced: boolean
  /** The job that requests it; a repeated job never makes a second version. */
  readonly jobId: string
  /** Who requested the training. */
  readonly by: string
}

/** Options of {@link VersionTrainer.train}. */
export interface TrainOptions {
  readonly signal?: AbortSignal
  /** Called with the share that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** Outcome of a training. */
export interface TrainOutcome {
  readonly version: number
  readonly architecture: Architecture
  readonly promotion: PromotionDecision
  readonly figures: ModelFigures
  readonly notMeasured: readonly string[]
  /** The same as {@link TrainOutcome.classCount}, under its name for mentors. */
  readonly answerCount: number
  readonly classCount: number
  readonly sampleCount: number
  /** Number of texts that had to be encoded; the other embeddings were cached by earlier trainings. */
  readonly encodedCount: number
  readonly durationMs: number
}

/** Accuracy of a version that was trained on `sampleCount` samples. */
export interface LearningPoint {
  readonly sampleCount: number
  /** Out-of-fold accuracy; null where it could not be measured. */
  readonly accuracy: number | null
}

/** Dependencies of a {@link VersionTrainer}. */
export interface VersionTrainerDependencies {
  readonly models: ModelStore
  readonly embeddings: EmbeddingCache
  /** The encoder that `embeddings` uses. */
  readonly encoder: Pick<Encoder, 'revision' | 'dimensions'>
  readonly ridgeOffTopicThreshold: number
  /** Share of samples by which a version may be worse than the live one and still be promoted. */
  readonly promotionMargin: number
}

/** Trains versions of mentors' and classifiers' models, one at a time: a fit takes a core. */
export class VersionTrainer {
  readonly #dependencies: VersionTrainerDependencies
  #latest: Promise<unknown> = Promise.resolve()

  constructor(dependencies: VersionTrainerDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Trains a version, stores it and makes it live, unless it is worse.
   * @throws what `request.read` throws, the signal's reason, Error when the fit failed
   */
  async train(request: VersionRequest, options: TrainOptions = {}): Promise<TrainOutcome> {
    const training = this.#latest.then(() => this.#train(request, options))
    this.#latest = training.catch(() => undefined)
    return training
  }

  /**
   * Measures the accuracy of versions trained on parts of the data, which shows whether more data still helps. Nothing
   * is stored.
   * @param shares shares of the data, each above 0 and at most 1; a part has this share of each class
   * @throws the signal's reason, Error when a fit failed
   */
  async learningCurve(
    data: TrainingData,
    shares: readonly number[],
    options: TrainOptions = {}
  ): Promise<readonly LearningPoint[]> {
    const curve = this.#latest.then(() => this.#learningCurve(data, shares, options))
    this.#latest = curve.catch(() => undefined)
    return curve
  }

  /** Resolves when no thread computes any more. */
  async idle(): Promise<void> {
    await this.#latest
  }

  async #train(request: VersionRequest, { signal, onProgress }: TrainOptions): Promise<TrainOutcome> {
    signal?.throwIfAborted()
    const startMs = performance.now()
    const [, encoding, fitting, storing] = TRAINING_STAGES
    const tell = (from: number, to: number) => (share: number) => onProgress?.(from + share * (to - from))
    const liveBefore = await this.#dependencies.models.liveVersion(request.name)
    const data = await inSpan('read training data', {}, () => request.read(signal))
    const { architecture, signature, dataHash, samples, texts } = data
    onProgress?.(encoding.from)
    const sampleCount = samples.labels.length
    const { values, encodedCount } = await this.#encode(texts, sampleCount, signal, tell(encoding.from, fitting.from))
    const toFit = {
      ...(await this.#fitRequestOf(data, values, signal)),
      ...(architecture === 'softmax' && { offTopicBound: await this.#offTopicBoundOf(request.name, data) })
    }
    const attributes = { 'sbert.architecture': architecture, 'sbert.sample_count': sampleCount }
    const fit = await inSpan('fit', { attributes }, () =>
      fitInThread(toFit, {
        ...(signal !== undefined && { signal }),
        onProgress: tell(fitting.from, storing.from)
      })
    )
    signal?.throwIfAborted()
    onProgress?.(storing.from)
    const durationMs = Math.round(performance.now() - startMs)
    const classCount = samples.answerIds.length
    const version: NewVersion = {
      ...fit,
      details: {
        architecture,
        signature,
        dataHash,
        encoderRevision: toFit.encoderRevision,
        classCount,
        sampleCount,
        figures: fit.figures,
        notMeasured: fit.notMeasured,
        durationMs,
        jobId: request.jobId,
        trainedBy: request.by
      }
    }
    return {
      ...(await inSpan('publish version', {}, () => this.#publish(request, version, liveBefore))),
      architecture,
      figures: fit.figures,
      notMeasured: fit.notMeasured,
      answerCount: classCount,
      classCount,
      sampleCount,
      encodedCount,
      durationMs
    }
  }

  /**
   * Publishes a version, unless the model was deleted since the training began.
   * @throws {ServiceError} NOT_FOUND when it was; nothing of the version is kept then
   */
  async #publish(request: VersionRequest, version: NewVersion, liveBefore: number | undefined) {
    const { models } = this.#dependencies
    const { name, stillExists = async () => true } = request
    if (liveBefore !== undefined && (await models.liveVersion(name)) === undefined) throw deletedMeanwhile()
    const published = await publishVersion(this.#dependencies, name, version, request)
    // Afterwards: whoever deletes it from now on deletes the version too.
    if (await stillExists()) return published
    await models.deleteAll(name)
    throw deletedMeanwhile()
  }

  async #learningCurve(
    data: TrainingData,
    shares: readonly number[],
    { signal, onProgress }: TrainOptions
  ): Promise<LearningPoint[]> {
    signal?.throwIfAborted()
    const { values } = await this.#encode(data.texts, data.samples.labels.length, signal, () => undefined)
    const whole = await this.#fitRequestOf(data, values, signal)
    const points: LearningPoint[] = []
    for (const [index, share] of shares.entries()) {
      const part = partOf(whole, share)
      const { figures } = await fitInThread(part, {
        ...(signal !== undefined && { signal }),
        onProgress: (done) => onProgress?.((index + done) / shares.length)
      })
      points.push({ sampleCount: part.samples.labels.length, accuracy: figures.accuracy })
    }
    return points
  }

  async #fitRequestOf(
    { architecture, samples, texts, columns, c }: TrainingData,
    values: Float32Array<ArrayBuffer>,
    signal: AbortSignal | undefined
  ) {
    const { encoder, ridgeOffTopicThreshold } = this.#dependencies
    const offTopic = architecture === 'softmax' ? (samples.offTopicTexts ?? []) : []
    const { values: offTopicValues } = await this.#encode([offTopic], offTopic.length, signal, () => undefined)
    return {
      architecture,
      samples,
      features: { values, rows: samples.labels.length, columns: texts.length * encoder.dimensions },
      offTopic: { values: offTopicValues, rows: offTopic.length, columns: encoder.dimensions },
      encoderRevision: texts.length === 0 ? null : encoder.revision,
      ridgeOffTopicThreshold,
      ...(columns !== undefined && { columns }),
      ...(c !== undefined && { c })
    }
  }

  async #offTopicBoundOf(name: string, { offTopicBound }: TrainingData): Promise<OffTopicBound | undefined> {
    if (offTopicBound !== undefined) return offTopicBound ?? undefined
    const { models } = this.#dependencies
    const live = await models.liveVersion(name)
    return live === undefined ? undefined : await readOffTopicBound(models, name, live)
  }

  /** Encodes the samples; embeddings of several texts of a sample are concatenated. */
  async #encode(
    columns: readonly (readonly string[])[],
    rows: number,
    signal: AbortSignal | undefined,
    onProgress: (share: number) => void
  ): Promise<{ values: Float32Array<ArrayBuffer>; encodedCount: number }> {
    const { dimensions } = this.#dependencies.encoder
    const width = columns.length * dimensions
    const values = new Float32Array(rows * width)
    let encodedCount = 0
    for (const [index, texts] of columns.entries()) {
      const encoded = await this.#dependencies.embeddings.encode(texts, {
        ...(signal !== undefined && { signal }),
        onProgress: (share) => onProgress((index + share) / columns.length)
      })
      encodedCount += encoded.encodedCount
      if (columns.length === 1) return encoded
      for (let row = 0; row < rows; row++) {
        const embedding = encoded.values.subarray(row * dimensions, (row + 1) * dimensions)
        values.set(embedding, row * width + index * dimensions)
      }
    }
    return { values, encodedCount }
  }
}

function deletedMeanwhile(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot train: it was deleted while the training was under way')
}
