/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { VersionReport } from '../learning/fit.ts'
import type { ModelFigures } from '../learning/model-figures.ts'
import type { ModelVersion } from './model-store.ts'
import type { Judgement } from '../learning/judgement.ts'

/** A version and its evaluation. */
export interface EvaluatedVersion {
  readonly version: ModelVersion
  readonly report: VersionReport
  readonly judgements: readonly Judgement[]
}

/** A figure of two versions; `change` is null where a version lacks it. */
interface Compared {
  readonly from: number | null
  readonly to: number | null
  readonly change: number | null
}

type NamedError = VersionReport['evaluation']['errors'][number]

/** Differences between the evaluations of two versions. */
export interface VersionDiff {
  readonly from: number
  readonly to: number
  readonly figures: Readonly<Record<keyof ModelFigures, Compared>>
  /** Samples on which both versions were evaluated out of fold. */
  readonly samples: {
    readonly common: number
    readonly rightInBoth: number
    readonly wrongInBoth: number
    /** Wrong before, right now. */
    readonly fixed: number
    /** Right before, wrong now. */
    readonly broken: number
  }
  /** Classes whose F1 differs, the largest change first; a version that lacks a class has no figure for it. */
  readonly classes: readonly ({ readonly classId: string } & Compared)[]
  /** Errors that only one of the versions makes, at most {@link MAX_ERRORS} of each. */
  readonly errors: { readonly added: readonly NamedError[]; readonly gone: readonly NamedError[] }
}

const MAX_ERRORS = 100

/** Compares the evaluations of two versions. */
export function diffVersions(from: EvaluatedVersion, to: EvaluatedVersion): VersionDiff {
  const wasRight = new Map(from.judgements.map(({ sample, isRight }) => [sample, isRight]))
  const isRight = new Map(to.judgements.map((judgement) => [judgement.sample, judgement.isRight]))
  const common = [...isRight].filter(([sample]) => wasRight.has(sample))
  const count = (before: boolean, now: boolean) =>
    common.filter(([sample, right]) => right === now && wasRight.get(sample) === before).length
  const { figures: before } = from.version
  const { figures: after } = to.version
  return {
    from: from.version.version,
    to: to.version.version,
    figures: {
      questionCount: compare(before.questionCount, after.questionCount),
      accuracy: compare(before.accuracy, after.accuracy),
      macroF1: compare(before.macroF1, after.macroF1),
      calibrationError: compare(before.calibrationError, after.calibrationError),
      offTopicAuroc: compare(before.offTopicAuroc, after.offTopicAuroc),
      offTopicRefused: compare(before.offTopicRefused, after.offTopicRefused),
      refused: compare(before.refused, after.refused)
    },
    samples: {
      common: common.length,
      rightInBoth: count(true, true),
      wrongInBoth: count(false, false),
      fixed: count(false, true),
      broken: count(true, false)
    },
    classes: compareClasses(from.report, to.report),
    errors: {
      added: errorsWithout(to.report, from.report).slice(0, MAX_ERRORS),
      gone: errorsWithout(from.report, to.report).slice(0, MAX_ERRORS)
    }
  }
}

function compare(from: number | null, to: number | null): Compared {
  return { from, to, change: from === null || to === null ? null : to - from }
}

function compareClasses(from: VersionReport, to: VersionReport): VersionDiff['classes'] {
  const before = f1Of(from)
  const after = f1Of(to)
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((classId) => ({ classId, ...compare(before.get(classId) ?? null, after.get(classId) ?? null) }))
    .filter(({ from: f1Before, to: f1After }) => f1Before !== f1After)
    .toSorted((a, b) => Math.abs(b.change ?? 1) - Math.abs(a.change ?? 1) || (a.classId < b.classId ? -1 : 1))
}

function f1Of({ evaluation }: VersionReport): ReadonlyMap<string, number | null> {
  return new Map(evaluation.classes.map(({ classId, f1 }) => [classId, f1]))
}

function errorsWithout(of: VersionReport, other: VersionReport): NamedError[] {
  const keyOf = ({ question, classId }: NamedError) => JSON.stringify([question, classId])
  const others = new Set(other.evaluation.errors.map(keyOf))
  return of.evaluation.errors.filter((error) => !others.has(keyOf(error)))
}
