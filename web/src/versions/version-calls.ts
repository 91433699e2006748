/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ask, askQuietly, send } from '../service/ask.ts'
import { withJson, type ServiceRequest } from '../service/service-request.ts'
import { showCall } from '../service/shown-call.ts'

/** How good a version is; null for what could not be measured. */
export interface ModelFigures {
  readonly questionCount: number
  readonly accuracy: number | null
  readonly macroF1: number | null
  readonly calibrationError: number | null
  readonly offTopicAuroc: number | null
  readonly offTopicRefused: number | null
  readonly refused: number | null
}

export interface Column {
  readonly name: string
  readonly type: 'text' | 'number'
}

export interface ModelVersion {
  readonly version: number
  readonly isLive: boolean
  readonly architecture: string
  readonly signature: { readonly features: readonly Column[]; readonly label: Column }
  readonly dataHash: string
  readonly classCount: number
  readonly sampleCount: number
  readonly figures: ModelFigures
  readonly notMeasured: readonly string[]
  readonly durationMs: number
  readonly trainedBy: string
  readonly created: string
}

export interface VersionList {
  readonly live: number | null
  readonly versions: readonly ModelVersion[]
  readonly history: readonly {
    readonly version: number
    readonly kind: 'PROMOTED' | 'ROLLED_BACK'
    readonly at: string
    readonly by: string
  }[]
}

export interface JudgedError {
  readonly question: string
  /** Null for a question that no class fits. */
  readonly classId: string | null
  readonly predictedId: string
  readonly confidence: number
  readonly isOffTopic: boolean
}

export interface CurvePoint {
  readonly threshold: number
  readonly coverage: number
  readonly errorRate: number | null
  readonly offTopicAnswered: number | null
}

interface Interval {
  readonly low: number
  readonly high: number
}

export interface Evaluation extends ModelFigures {
  /** Of `softmax`: where the figures of users' questions will lie, in nine cases of ten. */
  readonly foreseen?: {
    readonly accuracy: Interval | null
    readonly refused: Interval | null
    readonly offTopicRefused: Interval | null
  }
  /** Of `softmax`: the confidence below which a question is off topic. */
  readonly threshold?: number
  readonly answeredRight: number | null
  /** Null where confidence is no probability. */
  readonly calibration:
    | readonly { readonly count: number; readonly meanConfidence: number; readonly accuracy: number }[]
    | null
  readonly offTopicCurve: readonly CurvePoint[]
  readonly classes: readonly {
    readonly classId: string
    readonly support: number
    readonly precision: number | null
    readonly recall: number | null
    readonly f1: number | null
  }[]
  readonly confusions: readonly { readonly classId: string; readonly predictedId: string; readonly count: number }[]
  readonly errors: readonly JudgedError[]
}

export interface EvaluationReport {
  readonly evaluation: Evaluation
  readonly notMeasured: readonly string[]
  /** Of `softmax`: what the off-topic threshold keeps to; null is the default. */
  readonly offTopicBound?: OffTopicBound | null
}

/** What a mentor's owner asks of its off-topic threshold: a share of questions, 0.01 to 0.99. */
export type OffTopicBound = { readonly answerGood: number } | { readonly refuseNonsense: number }

interface Compared {
  readonly from: number | null
  readonly to: number | null
  readonly change: number | null
}

export interface VersionDiff {
  readonly from: number
  readonly to: number
  readonly figures: Readonly<Record<keyof ModelFigures, Compared>>
  readonly samples: {
    readonly common: number
    readonly rightInBoth: number
    readonly wrongInBoth: number
    readonly fixed: number
    readonly broken: number
  }
  readonly classes: readonly ({ readonly classId: string } & Compared)[]
  readonly errors: { readonly added: readonly JudgedError[]; readonly gone: readonly JudgedError[] }
}

/** Versions of a model that has none yet are an empty list. */
export async function readVersions(path: string): Promise<VersionList> {
  return (await askQuietly<{ data: VersionList }>({ method: 'GET', path: `${path}/versions` })).data.data
}

export async function readEvaluation(path: string, version: number | 'live'): Promise<EvaluationReport> {
  const request: ServiceRequest = { method: 'GET', path: `${path}/versions/${version}/evaluation` }
  return (await ask<{ data: EvaluationReport }>(request)).data.data
}

/** What is better and worse in one version than in another. */
export async function readDiff(path: string, from: number, to: number): Promise<VersionDiff> {
  const request: ServiceRequest = { method: 'GET', path: `${path}/versions/${from}/diff/${to}` }
  return (await ask<{ data: VersionDiff }>(request)).data.data
}

/** Makes a version live, whether or not it is worse than the one that is. */
export async function promote(path: string, version: number): Promise<void> {
  await ask(withJson('POST', `${path}/versions/${version}/promote`, { force: true }))
}

export async function rollBack(path: string): Promise<void> {
  await ask({ method: 'POST', path: `${path}/rollback` })
}

/** A version's model file, as another service takes it. */
export async function exportVersion(path: string, version: number): Promise<Blob> {
  const request: ServiceRequest = { method: 'GET', path: `${path}/versions/${version}/export` }
  showCall(request)
  return (await send(request)).blob()
}
