/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EvaluationReport } from './evaluation.ts'

/** A report with names of answers and questions, as it is stored and sent. */
export interface NamedReport extends Omit<EvaluationReport, 'classes' | 'confusions' | 'errors'> {
  readonly classes: readonly {
    readonly classId: string
    readonly support: number
    readonly precision: number | null
    readonly recall: number | null
    readonly f1: number | null
  }[]
  readonly confusions: readonly { readonly classId: string; readonly predictedId: string; readonly count: number }[]
  readonly errors: readonly {
    readonly question: string
    readonly classId: string
    readonly predictedId: string
    readonly confidence: number
    readonly isOffTopic: boolean
  }[]
}

/**
 * Replaces the positions in a report by names.
 * @param classIds ids of the classes
 * @param questions texts by position in the judged set
 */
export function nameReport(
  report: EvaluationReport,
  classIds: readonly string[],
  questions: readonly string[]
): NamedReport {
  return {
    ...report,
    classes: report.classes.map(({ class: k, ...figures }) => ({ classId: classIds[k]!, ...figures })),
    confusions: report.confusions.map(({ label, predicted, count }) => ({
      classId: classIds[label]!,
      predictedId: classIds[predicted]!,
      count
    })),
    errors: report.errors.map(({ question, label, ranked, isOffTopic }) => ({
      question: questions[question]!,
      classId: classIds[label!]!,
      predictedId: classIds[ranked[0]!.class]!,
      confidence: ranked[0]!.confidence,
      isOffTopic
    }))
  }
}
