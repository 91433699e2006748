/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { parseArgs } from 'node:util'
import { charsetOf } from '../reading/text-reader.ts'

/** Thresholds for judged figures. */
export interface Demands {
  readonly minAccuracy: number | undefined
  readonly minMacroF1: number | undefined
  readonly maxCalibrationError: number | undefined
}

interface Common {
  readonly name: string
  readonly isJson: boolean
  /** The table's charset, as given. @default the charset of its byte order mark, else 'utf-8' */
  readonly charset: string | undefined
}

interface Judging extends Common {
  readonly demands: Demands
  /** Folder for plots; undefined for none. */
  readonly plots: string | undefined
}

/** A parsed command. */
export type CliCommand =
  | { readonly command: 'help' }
  | (Judging & {
      readonly command: 'train'
      readonly table: string
      /** As the query parameters of a training. */
      readonly options: { label?: string; types?: string; c?: string; force?: string }
      readonly hasLearningCurve: boolean
    })
  | (Judging & {
      readonly command: 'evaluate'
      /** The test table; undefined: the report of the version's training. */
      readonly table: string | undefined
      readonly version: number | undefined
    })
  | (Common & {
      readonly command: 'predict'
      readonly table: string
      readonly version: number | undefined
      readonly hasProbability: boolean
      readonly topK: number
    })

/** An invalid command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const HELP = `Trains, judges and asks classifiers without a server, on the same DATA_DIR and by the same code.

  npm run --silent train -- data.csv --name sensors       a table (CSV, or .json) becomes a version
  npm run --silent evaluate -- --name sensors             how good the live version was, out of fold, when it was trained
  npm run --silent evaluate -- test.csv --name sensors    how good it is on rows that it has not seen
  npm run --silent predict -- data.csv --name sensors     CSV in, CSV with classes out

Without --silent npm writes two lines of its own before the result.

  --name NAME                  the classifier
  --label COLUMN               train: the column with the classes (default label)
  --types zip:text,id:ignore   train: types that are not to be inferred
  --c NUMBER                   train: inverse of the penalty's weight
  --force                      train: let the version answer even when it is worse than the live one
  --learning-curve             train: also judge an eighth, a quarter and half of the rows
  --version N                  evaluate, predict: another version than the live one
  --probability                predict: tell it
  --top-k N                    predict: rank so many classes, 1 to 16
  --plots FOLDER               train, evaluate: confusion-matrix.svg, calibration.svg and learning-curve.svg
  --min-accuracy SHARE         train, evaluate: exit with 1 below it, as 0.9; likewise --min-macro-f1
  --max-calibration-error SHARE
  --charset NAME               the table's, as windows-1252; else UTF-8, or UTF-16 with its mark
  --json                       the result as JSON on standard output

Exit status: 0 done; 1 not good enough, or kept and not let answer since it is worse; 2 could not be done.
A service that runs on the same DATA_DIR answers by a new live version from its next request on. Settings are those of the
service (docs/configuration.md).
`

const OPTIONS = {
  help: { type: 'boolean', short: 'h', default: false },
  name: { type: 'string' },
  label: { type: 'string' },
  types: { type: 'string' },
  c: { type: 'string' },
  force: { type: 'boolean', default: false },
  'learning-curve': { type: 'boolean', default: false },
  version: { type: 'string' },
  probability: { type: 'boolean', default: false },
  'top-k': { type: 'string' },
  plots: { type: 'string' },
  'min-accuracy': { type: 'string' },
  'min-macro-f1': { type: 'string' },
  'max-calibration-error': { type: 'string' },
  charset: { type: 'string' },
  json: { type: 'boolean', default: false }
} as const

const DEMANDS = ['min-accuracy', 'min-macro-f1', 'max-calibration-error']

/** Options of each command, besides `help`, `name`, `charset` and `json`. */
const KNOWN: Readonly<Record<'train' | 'evaluate' | 'predict', readonly string[]>> = {
  train: ['label', 'types', 'c', 'force', 'learning-curve', 'plots', ...DEMANDS],
  evaluate: ['version', 'plots', ...DEMANDS],
  predict: ['version', 'probability', 'top-k']
}

/** Names of classifiers, as in `/v1/classifiers`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/**
 * Reads a command line.
 * @throws UsageError that says what is wrong
 */
export function readCommandLine(args: readonly string[]): CliCommand {
  const { values, positionals, tokens } = parse(args)
  if (values.help || positionals[0] === 'help') return { command: 'help' }
  const [command, table, ...rest] = positionals
  if (command !== 'train' && command !== 'evaluate' && command !== 'predict') {
    throw new UsageError('train, evaluate or predict is wanted')
  }
  if (rest.length > 0) throw new UsageError('one table is wanted, more were given')
  for (const token of tokens) {
    if (token.kind === 'option' && ![...KNOWN[command], 'name', 'charset', 'json'].includes(token.name)) {
      throw new UsageError(`--${token.name} is not for ${command}`)
    }
  }
  const { name } = values
  if (name === undefined || !NAME.test(name)) {
    throw new UsageError('--name is wanted: letters, digits, dots, dashes and underscores, at most 100')
  }
  const common = { name, isJson: values.json, charset: charsetGiven(values.charset) }
  const demands = {
    minAccuracy: shareOf(values['min-accuracy'], 'min-accuracy'),
    minMacroF1: shareOf(values['min-macro-f1'], 'min-macro-f1'),
    maxCalibrationError: shareOf(values['max-calibration-error'], 'max-calibration-error')
  }
  const { plots } = values
  if (command === 'evaluate') {
    return { command, ...common, demands, plots, table, version: wholeOf(values.version, 'version', 999_999_999) }
  }
  if (table === undefined) throw new UsageError('a table is wanted: the path of a CSV file')
  if (command === 'train') {
    const { label, types, c, force } = values
    const options = {
      ...(label !== undefined && { label }),
      ...(types !== undefined && { types }),
      ...(c !== undefined && { c }),
      force: String(force)
    }
    return { command, ...common, demands, plots, table, options, hasLearningCurve: values['learning-curve'] }
  }
  return {
    command,
    ...common,
    table,
    version: wholeOf(values.version, 'version', 999_999_999),
    hasProbability: values.probability,
    topK: wholeOf(values['top-k'], 'top-k', 16) ?? 0
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function charsetGiven(given: string | undefined): string | undefined {
  if (given === undefined) return undefined
  try {
    return charsetOf(`text/csv; charset=${given}`)
  } catch {
    throw new UsageError('--charset is none that is known, such as utf-8, utf-16 or windows-1252')
  }
}

function shareOf(given: string | undefined, option: string): number | undefined {
  if (given === undefined) return undefined
  const share = /^\d*\.?\d+$/.test(given) ? Number(given) : Number.NaN
  if (!(share >= 0 && share <= 1)) throw new UsageError(`--${option} is a share, 0 to 1`)
  return share
}

function wholeOf(given: string | undefined, option: string, most: number): number | undefined {
  if (given === undefined) return undefined
  const value = /^[1-9]\d{0,8}$/.test(given) ? Number(given) : Number.NaN
  if (!(value <= most)) throw new UsageError(`--${option} is a whole number, 1 to ${most}`)
  return value
}
