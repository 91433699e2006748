/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TrainingSamples } from './training-samples.ts'
import {
  packLogisticModel,
  packRidgeModel,
  packSoftmaxModel,
  type Architecture,
  type ModelBytes
} from './classifier-model.ts'
import { gramsOf } from './character-grams.ts'
import { evaluate, type JudgedQuestion } from './evaluation.ts'
import { judgeRidgeOutOfFold } from './evaluate-ridge.ts'
import { trainLogistic, type NumberMatrix } from './logistic.ts'
import { findNearDuplicates, type NearDuplicate } from './near-duplicates.ts'
import { sampleKey, type Judgement } from './judgement.ts'
import { fitRidge } from './ridge.ts'
import type { FloatMatrix, TensorEngine } from './tensor-engine.ts'
import type { OffTopicBound } from './off-topic-bound.ts'
import type { ModelFigures } from './model-figures.ts'
import { foresee, type Foresight } from './foresight.ts'
import { trainSoftmax } from './train-softmax.ts'
import type { TrainingOptions } from './training-set.ts'
import { nameReport, type NamedReport } from './named-report.ts'

/** A request to fit a model. */
export interface FitRequest {
  readonly architecture: Architecture
  readonly samples: TrainingSamples
  /** Embeddings of the samples; 0 columns without texts. */
  readonly features: FloatMatrix
  /** Embeddings of the samples' off-topic texts. */
  readonly offTopic?: FloatMatrix
  readonly encoderRevision: string | null
  /** Off-topic threshold of `ridge`. */
  readonly ridgeOffTopicThreshold: number
  /** Features of a table, in the signature's order. */
  readonly columns?: readonly FeatureColumn[]
  /** For `softmax`: the bound of the off-topic rule. */
  readonly offTopicBound?: OffTopicBound | undefined
  /** For `logistic`: inverse of the regularization strength. */
  readonly c?: number
}

/** A feature of a table, with the value of each row. */
export interface FeatureColumn {
  readonly name: string
  readonly values: readonly string[] | Float64Array
}

/** A fitted model with its evaluation. */
export interface Fit {
  readonly model: ModelBytes
  readonly figures: ModelFigures
  readonly notMeasured: readonly string[]
  readonly judgements: readonly Judgement[]
  /** JSON of a {@link VersionReport}, serialized in the thread that fits. */
  readonly reportJson: string
}

/** Report of a training, with the predicted figures of `softmax`. */
export interface TrainingReport extends NamedReport {
  /** Confidence below which a question is refused. */
  readonly threshold?: number
  /** Weight of the prior of other mentors in the off-topic rule; the rest is learned from the mentor's own samples. */
  readonly priorShare?: number
  /** Predicted figures on users' questions. */
  readonly foreseen?: Foresight
}

/** The stored report on a version's quality. */
export interface VersionReport {
  /** Out-of-fold evaluation: each sample is judged by a model that has not seen it. */
  readonly evaluation: TrainingReport
  /** Bound of the off-topic rule; null for the default threshold. */
  readonly offTopicBound?: OffTopicBound | null
  /** Texts for people that say what could not be measured. */
  readonly notMeasured: readonly string[]
  readonly nearDuplicates: readonly NearDuplicate[]
}

const RIDGE_FOLDS = 5
/** Maximum number of samples to search for near-duplicates: above it the n² comparison would take longer than the fit. */
const MAX_SAMPLES_COMPARED = 12_000
/** Maximum number of samples on which two versions are compared: enough to show a difference of a thousandth. */
const MAX_JUDGEMENTS = 20_000

/** A packed model and the out-of-fold judgements of its samples. */
interface Fitted {
  readonly model: ModelBytes
  readonly judged: readonly JudgedQuestion[]
  readonly notMeasured: readonly string[]
  /** For `softmax`. */
  readonly topicRule?: Pick<TrainingReport, 'threshold' | 'priorShare'>
}

type Fitter = (
  engine: TensorEngine,
  request: FitRequest,
  options: Pick<TrainingOptions, 'onProgress' | 'signal'>
) => Promise<Fitted>

function fitterOf(architecture: Architecture): Fitter {
  if (architecture === 'logistic') return fitLogistic
  return architecture === 'softmax' ? fitSoftmaxOfTexts : fitRidgeOfTexts
}

const fitLogistic: Fitter = async (engine, { samples, features, encoderRevision, columns, c }, options) => {
  const { answerIds: classIds, labels, groups } = samples
  const trained = await trainLogistic(
    engine,
    {
      embeddings: features.columns === 0 ? undefined : features,
      numbers: numbersOf(columns ?? [], features.rows),
      labels,
      classCount: classIds.length,
      groups
    },
    { ...options, ...(c !== undefined && { c }) }
  )
  return {
    model: packLogisticModel(trained, features.columns, { classIds, encoderRevision }),
    judged: trained.outOfFold,
    notMeasured: trained.notMeasured
  }
}

const fitSoftmaxOfTexts: Fitter = async (engine, request, options) => {
  const { samples, features, encoderRevision, offTopicBound } = request
  const { answerIds: classIds, texts, labels, groups, offTopicTexts = [] } = samples
  const offTopic = request.offTopic !== undefined && {
    features: request.offTopic,
    grams: offTopicTexts.map(gramsOf),
    texts: offTopicTexts
  }
  const known = { features, labels, classCount: classIds.length, groups, texts, grams: texts.map(gramsOf) }
  const taught = { ...known, ...(offTopic && { offTopic }) }
  const trained = await trainSoftmax(engine, taught, { ...options, offTopicBound })
  return {
    model: packSoftmaxModel(trained, taught, { classIds, encoderRevision }),
    judged: trained.outOfFold,
    notMeasured: trained.notMeasured,
    topicRule: { threshold: trained.topicRule.leastConfidence, priorShare: 1 - trained.ownShare }
  }
}

const fitRidgeOfTexts: Fitter = async (_, request, { signal }) => {
  const { samples, features, encoderRevision, ridgeOffTopicThreshold } = request
  const { answerIds: classIds, labels, groups } = samples
  const set = { features, labels, classCount: classIds.length, groups }
  const model = packRidgeModel(fitRidge(features, labels, classIds.length), { classIds, encoderRevision })
  signal?.throwIfAborted()
  const judged = judgeRidgeOutOfFold(set, RIDGE_FOLDS, ridgeOffTopicThreshold)
  return { model, judged, notMeasured: describeRidgeGaps(judged, samples) }
}

/**
 * Fits a model, evaluates it out of fold and packs it. Blocks the calling thread, which must not be the main thread.
 * @throws what `signal` aborts with
 */
export async function fitClassifier(
  engine: TensorEngine,
  request: FitRequest,
  options: Pick<TrainingOptions, 'onProgress' | 'signal'> = {}
): Promise<Fit> {
  const { architecture, features, columns } = request
  const samples =
    columns === undefined
      ? request.samples
      : { ...request.samples, texts: describeRows(columns, request.samples.labels.length) }
  const { answerIds: classIds, texts } = samples
  const { model, judged, notMeasured, topicRule } = await fitterOf(architecture)(
    engine,
    { ...request, samples },
    options
  )
  const isOfTexts = architecture !== 'logistic'
  const isCompared = isOfTexts && texts.length <= MAX_SAMPLES_COMPARED
  const gaps =
    isOfTexts && !isCompared
      ? [...notMeasured, 'Near-duplicates were not looked for: there are too many samples.']
      : notMeasured
  const nearDuplicates = isCompared ? await findNearDuplicates(engine, samples, features) : []
  const measured = evaluate(judged, architecture !== 'ridge')
  const evaluation = {
    ...nameReport(measured, classIds, texts),
    ...(topicRule !== undefined && { ...topicRule, foreseen: foresee(measured) })
  }
  const { questionCount, accuracy, macroF1, calibrationError, offTopicAuroc, offTopicRefused, refused } = evaluation
  const report: VersionReport = {
    evaluation,
    notMeasured: gaps,
    nearDuplicates,
    ...(architecture === 'softmax' && { offTopicBound: request.offTopicBound ?? null })
  }
  return {
    model,
    figures: { questionCount, accuracy, macroF1, calibrationError, offTopicAuroc, offTopicRefused, refused },
    notMeasured: gaps,
    judgements: boundJudgements(
      judged.flatMap(({ question, label, ranked }): Judgement[] =>
        label === undefined
          ? []
          : [{ sample: sampleKey(texts[question]!, classIds[label]!), isRight: ranked[0]!.class === label }]
      )
    ),
    reportJson: JSON.stringify(report)
  }
}

/**
 * Limits judgements to those with the smallest keys. Keys are hashes, so this is a random sample that is the same for
 * all versions. Storing and comparing very many judgements would block the main thread.
 */
function boundJudgements(judgements: Judgement[]): readonly Judgement[] {
  if (judgements.length <= MAX_JUDGEMENTS) return judgements
  return judgements.toSorted((a, b) => (a.sample < b.sample ? -1 : 1)).slice(0, MAX_JUDGEMENTS)
}

/** The numbers of a table's rows; undefined when it has none. */
function numbersOf(columns: readonly FeatureColumn[], rows: number): NumberMatrix | undefined {
  const ofNumbers = columns.flatMap(({ values }) => (values instanceof Float64Array ? [values] : []))
  if (ofNumbers.length === 0) return undefined
  const values = new Float64Array(rows * ofNumbers.length)
  for (const [j, column] of ofNumbers.entries()) {
    for (let row = 0; row < rows; row++) values[row * ofNumbers.length + j] = column[row]!
  }
  return { values, rows, columns: ofNumbers.length }
}

/** Names the rows for a report: by the text where it is the only feature, else by the features as JSON. */
export function describeRows(columns: readonly FeatureColumn[], rows: number): string[] {
  const [only] = columns
  if (columns.length === 1 && only !== undefined && !(only.values instanceof Float64Array)) return [...only.values]
  return Array.from({ length: rows }, (_, row) =>
    JSON.stringify(Object.fromEntries(columns.map(({ name, values }) => [name, values[row]])))
  )
}

function describeRidgeGaps(judged: readonly JudgedQuestion[], { answerIds }: TrainingSamples): string[] {
  const gaps = ['Calibration and the off-topic threshold are not measured: decision values are no probabilities.']
  const single = answerIds.length - new Set(judged.map(({ label }) => label)).size
  if (single > 0) {
    gaps.push(
      `${single} of ${answerIds.length} answers have no two different samples: they are trained on but not measured.`
    )
  }
  return gaps
}
