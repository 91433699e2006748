/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import {
  assertNoFormattedNumbers,
  classIdOf,
  inferLabelType,
  inferType,
  isConstant,
  labelProblem,
  readLabels,
  readNumbers,
  readTexts
} from './column-values.ts'
import { separatorName } from './csv-table.ts'
import type { FeatureTable } from './feature-table.ts'
import {
  type RawColumn,
  type RawTable,
  type TableLimits,
  type TableSource,
  columnNamed,
  readRaw,
  tooLarge,
  type DroppedRowsAndColumns
} from './raw-table.ts'
import type { Column, ColumnType, Signature } from './signature.ts'
import { TableFaults } from './table-faults.ts'

/** A checked table to train or test a classifier with. */
export interface TrainingTable extends FeatureTable {
  readonly signature: Signature
  /** Position in {@link TrainingTable.classIds} of each row's class. */
  readonly labels: Int32Array
  /** Numbers ascending, texts by their characters. */
  readonly classIds: readonly string[]
  /** Group of each row: rows with equal features are in one group. */
  readonly groups: Int32Array
}

/** A {@link TrainingTable} with findings that its owner may want to fix. */
export interface ReadTable extends TrainingTable, TableFindings {}

/** Findings about a table that was read. */
export interface TableFindings {
  readonly dropped: DroppedRowsAndColumns
  /** Undefined when there are none. */
  readonly contradictions: LabelFindings | undefined
  /** Labels that differ only in case, white space or the form of accents; undefined when there are none. */
  readonly similarLabels: LabelFindings | undefined
}

/**
 * Labels that probably should be one: those of rows with equal features, of which only one can be learned, or those that
 * hardly differ, each with its first row.
 */
export interface LabelFindings {
  /** Number of such rows, of equal ones once, or of groups of such labels. */
  readonly count: number
  /** The first of them. Rows are counted from 1; the header is not counted. */
  readonly examples: readonly { readonly rows: readonly number[]; readonly labels: readonly string[] }[]
}

/** Options for reading a table. */
export interface TableOptions {
  /** Name of the column with the labels. @default 'label' */
  readonly label?: string
  /** Types of columns, in place of inferred ones; a column of type `ignore` is left out. */
  readonly types?: Readonly<Record<string, ColumnType | 'ignore'>>
}

const DEFAULT_LABEL = 'label'
/** Maximum number of feature values: 80 MB as float32, of which a fit holds several copies. */
const MAX_FEATURE_VALUES = 20_000_000
const MAX_CLASSES = 10_000
/** Each text column is 384 columns of a fit, whose time grows with their cube. */
const MAX_TEXT_COLUMNS = 4
const MIN_ROWS = 2
/** Maximum number of findings of a kind that are listed, and of rows for each. */
const MAX_FINDINGS_TOLD = 20

/**
 * Reads a training table: CSV with a header line, or the rows of JSON, each an object by column name. A column has type
 * `number` when most of its cells are numbers; a cell that is not one is then a fault, and does not make the column a
 * text column.
 * @throws {ServiceError} INVALID_REQUEST with each fault by column and row (the first after the header is row 1);
 *   PAYLOAD_TOO_LARGE beyond a limit, which it names
 */
export function readTrainingTable(source: TableSource, options: TableOptions, limits: TableLimits): ReadTable {
  const { label = DEFAULT_LABEL, types = {} } = options
  return checkTable(readRaw(source, [label], Object.keys(types), limits, 'train'), options, limits)
}

/** A table of labelled rows to evaluate a model on. */
export interface TestTable extends FeatureTable {
  /** Position in the model's classes of each row's class. */
  readonly labels: Int32Array
}

/** The model that a test table must fit. */
export interface TestedModel {
  readonly signature: Signature
  readonly classIds: readonly string[]
}

/**
 * Reads a table as {@link readTrainingTable}, for an existing model: columns have the signature's types, other columns
 * are ignored, and each label must be one that the model was trained on.
 * @throws {ServiceError} as {@link readTrainingTable}
 */
export function readTestTable(
  source: TableSource,
  { signature, classIds }: TestedModel,
  limits: TableLimits
): TestTable {
  const wanted = [...signature.features, signature.label].map(({ name }) => name)
  const raw = readRaw(source, wanted, wanted, limits, 'evaluate')
  const faults = new TableFaults('evaluate')
  const columnOf = ({ name }: Column): RawColumn => {
    const found = columnNamed(raw, name, 'evaluate')
    if (found === undefined) faults.addOfColumn(name, 'required field')
    // The model's spelling of the name.
    return { name, cells: found?.cells ?? [] }
  }
  const columns = new Map(
    signature.features.map((feature) => {
      const column = columnOf(feature)
      const isNumber = feature.type === 'number'
      return [
        feature.name,
        isNumber ? readNumbers(raw, column, false, faults) : readTexts(raw, column, limits, faults)
      ] as const
    })
  )
  const labelColumn = columnOf(signature.label)
  const position = new Map(classIds.map((id, k) => [id, k]))
  const labels = Int32Array.from(labelColumn.cells, (cell, index) => {
    const problem = labelProblem(raw, cell, signature.label.type)
    const label = problem === undefined ? position.get(classIdOf(raw, cell ?? '', signature.label.type)) : -1
    if (label === undefined || problem !== undefined) {
      faults.add(labelColumn.name, raw.rowNumbers[index]!, problem ?? 'a label that the version was not trained on')
    }
    return label ?? -1
  })
  faults.throwIfAny()
  return { rowCount: raw.rowCount, columns, labels }
}

function checkTable(raw: RawTable, options: TableOptions, limits: TableLimits): ReadTable {
  const faults = new TableFaults('train')
  const labelColumn = labelColumnOf(raw, options.label ?? DEFAULT_LABEL)
  const labelName = labelColumn.name
  const types = typesByColumn(raw, options.types ?? {}, faults)
  const features = raw.columns.filter((column) => column !== labelColumn && types[column.name] !== 'ignore')
  if (features.length === 0) throw new ServiceError('INVALID_REQUEST', 'Cannot train: no column beside the label')
  const typed = features.map((column) => ({ column, type: givenType(types, column.name) ?? inferType(raw, column) }))
  const columns = new Map<string, readonly string[] | Float64Array>()
  for (const { column, type } of typed) {
    const isInferred = givenType(types, column.name) === undefined
    const values =
      type === 'number' ? readNumbers(raw, column, isInferred, faults) : readTexts(raw, column, limits, faults)
    columns.set(column.name, values)
    if (type === 'text' && isInferred) assertNoFormattedNumbers(raw, column, faults)
    if (!faults.has(column.name) && isConstant(values)) {
      const problem = 'the same in every row, which tells nothing: leave it out, or give it type ignore'
      faults.addOfColumn(column.name, problem)
    }
  }
  const label = { name: labelName, type: givenType(types, labelName) ?? inferLabelType(raw, labelColumn) }
  const { labels, classIds } = readLabels(raw, labelColumn, label.type, faults)
  if (!faults.has(labelName) && classIds.length < 2) {
    faults.addOfColumn(labelName, 'one class only, at least 2 wanted')
  }
  if (classIds.length > MAX_CLASSES) {
    throw tooLarge(`${classIds.length} classes, at most ${MAX_CLASSES} are allowed`)
  }
  faults.throwIfAny()
  const ofType = (wanted: ColumnType): Column[] =>
    typed.filter(({ type }) => type === wanted).map(({ column, type }) => ({ name: column.name, type }))
  const texts = ofType('text')
  const numbers = ofType('number')
  checkSize(raw.rowCount, { textCount: texts.length, numberCount: numbers.length }, limits)
  return {
    signature: { features: [...texts, ...numbers], label },
    rowCount: raw.rowCount,
    columns,
    labels,
    classIds,
    groups: groupRows([...columns.values()], raw.rowCount),
    dropped: raw.dropped,
    contradictions: contradictionsOf(raw, [...columns.values()], labels, classIds),
    similarLabels: label.type === 'text' ? similarLabelsOf(raw, labels, classIds) : undefined
  }
}

function labelColumnOf(raw: RawTable, wanted: string) {
  const labelColumn = columnNamed(raw, wanted, 'train')
  if (labelColumn === undefined) {
    const found = `${raw.columns.length} columns${raw.source === 'csv' ? `, separated by ${separatorName(raw.separator)}` : ''}`
    throw new ServiceError('INVALID_REQUEST', `Cannot train: the table lacks the column of labels; it has ${found}`, {
      fields: { [wanted]: ['required field'] }
    })
  }
  if (raw.rowCount < MIN_ROWS) {
    throw new ServiceError('INVALID_REQUEST', `Cannot train: ${raw.rowCount} rows, at least ${MIN_ROWS} wanted`)
  }
  return labelColumn
}

/** The given types, by the columns' own names. */
function typesByColumn(
  raw: RawTable,
  given: NonNullable<TableOptions['types']>,
  faults: TableFaults
): Record<string, ColumnType | 'ignore'> {
  const types: Record<string, ColumnType | 'ignore'> = {}
  for (const [name, type] of Object.entries(given)) {
    const column = columnNamed(raw, name, 'train')
    if (column === undefined) faults.addOfColumn(name, 'its type is given, but there is no such column')
    else types[column.name] = type
  }
  return types
}

function checkSize(
  rowCount: number,
  { textCount, numberCount }: { readonly textCount: number; readonly numberCount: number },
  { embeddingDimensions }: TableLimits
): void {
  if (textCount > MAX_TEXT_COLUMNS) {
    throw tooLarge(
      `${textCount} columns of texts, at most ${MAX_TEXT_COLUMNS} are allowed: join some, or give them type ignore`
    )
  }
  const width = textCount * embeddingDimensions + numberCount
  if (width * rowCount > MAX_FEATURE_VALUES) {
    throw tooLarge(
      `${rowCount} rows of ${width} numbers, a text being ${embeddingDimensions}: ` +
        `at most ${MAX_FEATURE_VALUES} numbers in all are allowed`
    )
  }
}

function givenType(types: NonNullable<TableOptions['types']>, name: string): ColumnType | undefined {
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  return type === 'ignore' ? undefined : type
}

function groupRows(columns: readonly (readonly string[] | Float64Array)[], rowCount: number): Int32Array {
  const groupOf = new Map<string, number>()
  return Int32Array.from({ length: rowCount }, (_, row) => {
    const key = columns.length === 1 ? String(columns[0]![row]) : JSON.stringify(columns.map((column) => column[row]))
    const group = groupOf.get(key) ?? groupOf.size
    groupOf.set(key, group)
    return group
  })
}

function similarLabelsOf(
  { rowNumbers }: RawTable,
  labels: Int32Array,
  classIds: readonly string[]
): LabelFindings | undefined {
  const alike = Map.groupBy(classIds.keys(), (k) =>
    classIds[k]!.normalize('NFKC')
      .replaceAll(/\p{Cf}/gu, '')
      .replaceAll(/\s+/g, ' ')
      .toLowerCase()
  )
  const groups = [...alike.values()].filter(({ length }) => length > 1)
  if (groups.length === 0) return undefined
  const examples = groups.slice(0, MAX_FINDINGS_TOLD).map((group) => ({
    rows: group.map((k) => rowNumbers[labels.indexOf(k)]!),
    labels: group.map((k) => classIds[k]!)
  }))
  return { count: groups.length, examples }
}

/** Finds contradictions. Texts are compared as the model reads them: case and white space are ignored. */
function contradictionsOf(
  { rowNumbers }: RawTable,
  columns: readonly (readonly string[] | Float64Array)[],
  labels: Int32Array,
  classIds: readonly string[]
): LabelFindings | undefined {
  const folded = columns.map((column) =>
    column instanceof Float64Array ? column : column.map((text) => text.trim().replaceAll(/\s+/g, ' ').toLowerCase())
  )
  const groups = groupRows(folded, rowNumbers.length)
  const firstLabels = new Map<number, number>()
  const contradicted = new Set<number>()
  for (const [index, group] of groups.entries()) {
    const first = firstLabels.get(group)
    if (first === undefined) firstLabels.set(group, labels[index]!)
    else if (first !== labels[index]) contradicted.add(group)
  }
  if (contradicted.size === 0) return undefined
  const told = new Map(
    [...contradicted]
      .slice(0, MAX_FINDINGS_TOLD)
      .map((group) => [group, { rows: [] as number[], labels: new Set<string>() }])
  )
  for (const [index, group] of groups.entries()) {
    const example = told.get(group)
    if (example === undefined) continue
    if (example.rows.length < MAX_FINDINGS_TOLD) example.rows.push(rowNumbers[index]!)
    example.labels.add(classIds[labels[index]!]!)
  }
  return {
    count: contradicted.size,
    examples: [...told.values()].map((example) => ({ rows: example.rows, labels: [...example.labels] }))
  }
}
