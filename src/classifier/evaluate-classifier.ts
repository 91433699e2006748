/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Classifier, PredictOptions } from './classifier.ts'
import { evaluate } from '../learning/evaluation.ts'
import { describeRows } from '../learning/fit.ts'
import type { TestTable } from '../table/training-table.ts'
import { nameReport, type NamedReport } from '../learning/named-report.ts'

/** Number of ranked classes in the judgement of a row. */
const RANKED_CLASSES = 5

/** Evaluates a classifier on labelled rows, which should not be among those it was trained on. */
export async function evaluateClassifier(
  classifier: Classifier,
  table: TestTable,
  options: PredictOptions
): Promise<NamedReport> {
  const { classIds, version } = classifier
  const { rows } = await classifier.predict(table, { ...options, topK: RANKED_CLASSES })
  const position = new Map(classIds.map((id, k) => [id, k]))
  const judged = rows.map(({ ranked, topicScore, isOffTopic }, row) => ({
    question: row,
    label: table.labels[row]!,
    ranked: ranked.map(({ classId, confidence }) => ({ class: position.get(classId)!, confidence })),
    topicScore,
    isOffTopic
  }))
  const columns = version.signature.features.map(({ name }) => ({ name, values: table.columns.get(name) ?? [] }))
  return nameReport(evaluate(judged, version.architecture !== 'ridge'), classIds, describeRows(columns, table.rowCount))
}
