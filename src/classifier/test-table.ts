/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { CsvError, parse } from 'csv-parse/sync'
import { ServiceError } from '../errors.ts'
import type { Classifier, FeatureTable, PredictOptions } from './classifier.ts'
import { evaluate, type JudgedQuestion } from './evaluation.ts'
import { readFeatureCells, type PredictLimits } from './feature-columns.ts'
import type { Column } from './signature.ts'
import { TableFaults } from './table-faults.ts'
import { nameReport, type NamedReport } from './version-report.ts'

/** Rows with known classes, to judge a classifier by. */
export interface TestTable extends FeatureTable {
  /** Position in the classifier's classes of each row's. */
  readonly labels: Int32Array
}

/** Classes that a judgement of a row names. */
const RANKED_CLASSES = 5

type Known = Pick<Classifier, 'version' | 'classIds'>
type TextLimits = Pick<PredictLimits, 'maxTextCharacters'>

/**
 * Reads CSV with the columns of a classifier's signature, the label's among them; other columns do not matter.
 * @throws {ServiceError} INVALID_REQUEST with each fault by column and row, a class that the classifier never learned included
 */
export function readTestTable(csv: string, classifier: Known, limits: TextLimits): TestTable {
  const { label } = classifier.version.signature
  const { names, records } = recordsOf(csv, [...classifier.version.signature.features, label])
  const faults = new TableFaults('evaluate')
  const features = featuresOf(names, records, classifier, limits, faults)
  const position = names.indexOf(label.name)
  const classOf = new Map(classifier.classIds.map((classId, k) => [classId, k]))
  const labels = Int32Array.from(records, (record, index) => {
    const cell = record[position]?.trim() ?? ''
    const known = classOf.get(label.type === 'number' && cell !== '' ? String(Number(cell)) : cell)
    if (known === undefined) faults.add(label.name, index + 1, 'none of the classes that the version was trained on')
    return known ?? 0
  })
  faults.throwIfAny()
  return { ...features, labels }
}

/** As {@link readTestTable}, without a label. */
export function readFeatureTable(csv: string, classifier: Known, limits: TextLimits): FeatureTable {
  const { names, records } = recordsOf(csv, classifier.version.signature.features)
  const faults = new TableFaults('predict')
  const table = featuresOf(names, records, classifier, limits, faults)
  faults.throwIfAny()
  return table
}

function recordsOf(csv: string, wanted: readonly Column[]) {
  const [header = [], ...records] = parseCsv(csv)
  const names = header.map((name) => name.trim())
  const missing = wanted.filter(({ name }) => !names.includes(name)).map(({ name }) => name)
  if (missing.length > 0) {
    throw new ServiceError('INVALID_REQUEST', `Cannot read the table: its header lacks ${missing.join(', ')}`, {
      fields: Object.fromEntries(missing.map((name) => [name, ['required field']]))
    })
  }
  if (records.length === 0) throw new ServiceError('INVALID_REQUEST', 'Cannot read the table: it has no rows')
  return { names, records }
}

function featuresOf(
  names: readonly string[],
  records: readonly (readonly string[])[],
  { version: { signature } }: Known,
  limits: TextLimits,
  faults: TableFaults
): FeatureTable {
  const positions = signature.features.map(({ name }) => names.indexOf(name))
  const rows: (readonly (string | number)[])[] = []
  for (const [index, record] of records.entries()) {
    const row = readFeatureCells(
      positions.map((position) => record[position]),
      signature,
      limits
    )
    if ('problem' in row) faults.add('table', index + 1, row.problem)
    else rows.push(row.values)
  }
  const columns = new Map(
    signature.features.map(({ name, type }, column) => [
      name,
      type === 'number'
        ? Float64Array.from(rows, (values) => Number(values[column]))
        : rows.map((values) => String(values[column]))
    ])
  )
  return { rowCount: rows.length, columns }
}

/**
 * Judges a classifier by rows that it was not trained on.
 * @throws what predicting throws
 */
export async function evaluateOn(
  classifier: Classifier,
  table: TestTable,
  options: PredictOptions
): Promise<NamedReport> {
  const { classIds, version } = classifier
  const classOf = new Map(classIds.map((classId, k) => [classId, k]))
  const { rows } = await classifier.predict(table, { ...options, topK: RANKED_CLASSES })
  const judged = rows.map(({ ranked, topicScore, isOffTopic }, row): JudgedQuestion => ({
    question: row,
    label: table.labels[row]!,
    ranked: ranked.map(({ classId, confidence }) => ({ class: classOf.get(classId)!, confidence })),
    topicScore,
    isOffTopic
  }))
  const named = version.signature.features.map(({ name }) => ({ name, values: table.columns.get(name)! }))
  const described = rows.map((_, row) =>
    JSON.stringify(Object.fromEntries(named.map(({ name, values }) => [name, values[row]])))
  )
  return nameReport(evaluate(judged, version.architecture !== 'ridge'), classIds, described)
}

function parseCsv(csv: string): string[][] {
  try {
    return parse(csv, { bom: true, relax_column_count: true, skip_empty_lines: true })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The error's own message quotes the text.
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1
    throw new ServiceError('INVALID_REQUEST', `Cannot read the table: line ${line} is no CSV (${error.code})`)
  }
}
