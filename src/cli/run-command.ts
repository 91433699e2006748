/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { CreateEncoding } from '../app/open-app.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { classifierLearningCurve, trainClassifier } from '../classifier/classifier-trainer.ts'
import type { VersionReport } from '../learning/fit.ts'
import { classifierModelName } from '../versions/model-name.ts'
import { evaluateClassifier } from '../classifier/evaluate-classifier.ts'
import { readFeatureColumns } from '../table/feature-columns.ts'
import { isDecimal, withDecimalPoint } from '../table/table-cell.ts'
import type { TableFormat } from '../table/training-request.ts'
import type { TestTable } from '../table/training-table.ts'
import { trainingStage } from '../versions/version-trainer.ts'
import type { NamedReport } from '../learning/named-report.ts'
import { ConfigError, loadConfig, type Environment } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'
import { ServiceError } from '../errors.ts'
import { MemoryJobBackend } from '../jobs/memory-job-backend.ts'
import { openMentors, type MentorArea } from '../app/mentors.ts'
import { openTerminal } from '../app/terminal.ts'
import { featurePositions, predictCsv } from '../classifier/csv-prediction.ts'
import { predictionsJson } from '../classifier/prediction-reply.ts'
import { createServiceLog, type ServiceLog } from '../server/request-log.ts'
import { createTerminalLog } from '../server/terminal-log.ts'
import { readCsv } from '../table/csv-table.ts'
import { trainingOptionsOf } from '../table/training-options.ts'
import { HELP, UsageError, readCommandLine, type CliCommand } from './command-line.ts'
import { checkDemands, describeCheck, describeFigures, figuresOf, writePlots } from './judgement.ts'
import { CLEAR_LINE, Progress, type ProgressStream } from './progress.ts'
import { describeAsJson, describeInLines } from './training-outcome.ts'

/** The environment in which a command runs. */
export interface Surroundings {
  readonly env: Environment
  readonly stdout: Writable
  readonly stderr: ProgressStream
  readonly createEncoding: CreateEncoding
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal
}

/** Exit status of a command. */
const EXIT = { done: 0, notGoodEnough: 1, failed: 2 } as const

/** Who trained, in the list of versions. */
const TRAINED_BY = 'command line'
/** Shares of the rows for the learning curve; the training itself gives the point of all rows. */
const CURVE_SHARES = [0.125, 0.25, 0.5]

/** Dependencies of the commands. */
interface Workbench {
  readonly config: Config
  readonly area: MentorArea
}

type CommandOf<Name extends CliCommand['command']> = Extract<CliCommand, { command: Name }>

/**
 * Runs `train`, `evaluate` or `predict`.
 * @returns the exit status; errors are written to standard error
 */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stderr, stdout, signal } = surroundings
  try {
    const command = readCommandLine(args)
    if (command.command === 'help') {
      stdout.write(HELP)
      return EXIT.done
    }
    return await withWorkbench(surroundings, async (workbench) => {
      if (command.command === 'train') return train(command, workbench, surroundings)
      if (command.command === 'evaluate') return evaluate(command, workbench, surroundings)
      return predict(command, workbench, surroundings)
    })
  } catch (error) {
    stderr.write(`${signal.aborted ? 'Interrupted' : describeFailure(error)}\n`)
    return EXIT.failed
  }
}

const FILE_FAILURES: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'there is none'],
  ['ENOTDIR', 'there is none'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'this user may not read it']
])

function describeFailure(error: unknown): string {
  if (error instanceof UsageError) return `Cannot read the command: ${error.message}. See --help`
  if (error instanceof ConfigError) return error.message
  if (error instanceof ServiceError) {
    const fields = Object.entries(error.fields ?? {}).map(([field, problems]) => `  ${field}: ${problems.join('; ')}`)
    return [error.message, ...fields].join('\n')
  }
  if (error instanceof Error && 'code' in error && 'path' in error) {
    const found = FILE_FAILURES.get(error.code)
    if (found !== undefined) return `Cannot read the file ${String(error.path)}: ${found}`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function withWorkbench(
  { env, stderr, createEncoding }: Surroundings,
  work: (workbench: Workbench) => Promise<number>
): Promise<number> {
  const config = loadConfig({ LOG_LEVEL: 'warn', ...env })
  const log = openLog(config, env, stderr)
  const logger: Logger = log.logger
  const encoding = createEncoding(config, logger)
  if (config.backend !== 'local') {
    throw new ServiceError('INVALID_REQUEST', 'Cannot work without a server: it takes a DATA_DIR, so BACKEND=local')
  }
  await using closing = new AsyncDisposableStack()
  closing.defer(() => log.flush())
  closing.defer(() => encoding.close())
  const jobs = new MemoryJobBackend()
  const area = await openMentors(config, { jobs, encoder: encoding.encoder, log: logger, closing })
  await encoding.start().catch((error: unknown) => {
    // The message is meant for people, for example that the model was not downloaded: a stack trace would hide it.
    throw new ServiceError('UNAVAILABLE', error instanceof Error ? error.message : String(error), { cause: error })
  })
  return await work({ config, area })
}

/**
 * Opens the log on standard error, since standard output is for results: lines for people on a terminal, JSON
 * elsewhere.
 */
function openLog(config: Config, env: Environment, stderr: ProgressStream): ServiceLog {
  const terminal = openTerminal(config.logFormat, stderr, env)
  if (terminal === undefined) {
    return createServiceLog({ level: config.logLevel, linesPerSecond: 0, fileDescriptor: 2 })
  }
  const { hasColors } = terminal
  // The next step of the progress redraws it below the entry.
  const write = (text: string): void => terminal.write(stderr.isTTY === true ? CLEAR_LINE + text : text)
  return createTerminalLog(config.logLevel, { hasColors, write })
}

async function train(command: CommandOf<'train'>, { area }: Workbench, surroundings: Surroundings): Promise<number> {
  const { name, table, options, hasLearningCurve, plots, demands, isJson } = command
  const { stderr, stdout, signal } = surroundings
  const progress = new Progress(stderr)
  const { bytes, summary } = await area.classifiers.reader.read(
    await readFile(table),
    formatOf(command),
    trainingOptionsOf(options),
    { callerKey: TRAINED_BY, signal }
  )
  const request = { classifier: name, packedTable: bytes, jobId: randomUUID(), by: TRAINED_BY }
  const outcome = await trainClassifier(area.trainer, request, {
    signal,
    onProgress: (share) => progress.tell(trainingStage(share), share)
  })
  const { version, promotion, figures, sampleCount } = outcome
  const curve = hasLearningCurve
    ? await classifierLearningCurve(area.trainer, bytes, CURVE_SHARES, {
        signal,
        onProgress: (share) => progress.tell('LEARNING CURVE', share)
      })
    : []
  progress.end()
  const learningCurve = hasLearningCurve ? [...curve, { sampleCount, accuracy: figures.accuracy }] : []
  const report = await reportOf(area, name, version)
  const paths = plots === undefined ? [] : await writePlots(plots, report, learningCurve)
  const checks = checkDemands(figures, demands)
  const isGood = promotion.outcome === 'promoted' && checks.every(({ passed }) => passed)
  const trained = { name, outcome, summary, learningCurve, paths, checks, isGood }
  if (isJson) stdout.write(`${JSON.stringify(describeAsJson(trained))}\n`)
  else writeLines(stdout, describeInLines(trained))
  return isGood ? EXIT.done : EXIT.notGoodEnough
}

async function evaluate(
  command: CommandOf<'evaluate'>,
  { area }: Workbench,
  { stdout, stderr, signal }: Surroundings
): Promise<number> {
  const { name, table, plots, demands, isJson } = command
  const classifier = await area.classifiers.classifiers.open(name, command.version)
  const { version, architecture } = classifier.version
  const report =
    table === undefined
      ? await reportOf(area, name, version)
      : await judge(
          classifier,
          await readTest(area, classifier, { table, charset: command.charset }),
          new Progress(stderr),
          signal
        )
  const paths = plots === undefined ? [] : await writePlots(plots, report)
  const checks = checkDemands(report, demands)
  const passed = checks.every((check) => check.passed)
  const source = table === undefined ? 'out of fold' : 'table'
  if (isJson) {
    const { classes, confusions } = report
    const told = { classifier: name, version, architecture, source, figures: figuresOf(report), classes, confusions }
    stdout.write(`${JSON.stringify({ ...told, checks, plots: paths, passed })}\n`)
  } else {
    writeLines(stdout, [
      `${name}: version ${version} (${architecture}), ${source}: ${describeFigures(report)}`,
      ...paths,
      ...checks.map(describeCheck)
    ])
  }
  return passed ? EXIT.done : EXIT.notGoodEnough
}

/** Path of a table, and its charset if given. */
interface GivenTable {
  readonly table: string
  readonly charset: string | undefined
}

async function readTest(area: MentorArea, { version, classIds }: Classifier, given: GivenTable): Promise<TestTable> {
  const { signature } = version
  return area.classifiers.reader.readTest(await readFile(given.table), formatOf(given), { signature, classIds })
}

function formatOf({ table, charset }: GivenTable): TableFormat {
  return { kind: table.toLowerCase().endsWith('.json') ? 'json' : 'csv', charset }
}

/** Rows judged between two updates of the progress. */
const ROWS_A_STEP = 512

async function judge(
  classifier: Classifier,
  table: TestTable,
  progress: Progress,
  signal: AbortSignal
): Promise<NamedReport> {
  const watched: Classifier = {
    version: classifier.version,
    classIds: classifier.classIds,
    async predict(all, options) {
      const rows = []
      for (let from = 0; from < all.rowCount; from += ROWS_A_STEP) {
        const to = Math.min(all.rowCount, from + ROWS_A_STEP)
        const columns = new Map([...all.columns].map(([name, values]) => [name, values.slice(from, to)]))
        rows.push(...(await classifier.predict({ rowCount: to - from, columns }, options)).rows)
        progress.tell('JUDGING', to / all.rowCount)
      }
      return { rows, timings: undefined }
    }
  }
  const report = await evaluateClassifier(watched, table, { signal, lane: 'bulk' })
  progress.end()
  return report
}

async function predict(
  { name, table, charset, version, hasProbability, topK, isJson }: CommandOf<'predict'>,
  { config, area }: Workbench,
  { stdout, stderr, signal }: Surroundings
): Promise<number> {
  const classifier = await area.classifiers.classifiers.open(name, version)
  const detail = { hasProbability, topK }
  const options = { signal, lane: 'bulk' as const, topK: Math.max(1, topK) }
  if (isJson) {
    const { columns, emptyRowCount, headerRowCount } = columnsOf(await readFile(table), charset, classifier)
    if (emptyRowCount > 0) writeLines(stderr, [`left out: ${emptyRowCount} rows without a value`])
    if (headerRowCount > 0) writeLines(stderr, [`left out: ${headerRowCount} rows that are the header again`])
    const features = readFeatureColumns(columns, classifier.version.signature, config)
    const { rows } = await classifier.predict(features, options)
    stdout.write(`${predictionsJson(rows, classifier.version.signature.label.type, detail)}\n`)
    return EXIT.done
  }
  const { maxTextCharacters, classifierBodyLimitBytes: maxBytes } = config
  const { size } = await stat(table)
  const source = createReadStream(table)
  const lines = await predictCsv(source, classifier, { predict: options, detail, maxTextCharacters, maxBytes, charset })
  const progress = new Progress(stderr)
  async function* watched(): AsyncGenerator<string> {
    for await (const some of lines) {
      progress.tell('PREDICTING', source.bytesRead / size)
      yield some
    }
  }
  await pipeline(Readable.from(watched()), stdout, { end: false })
  progress.end()
  return EXIT.done
}

/** Columns of CSV in the form of a JSON call. */
function columnsOf(
  csv: Uint8Array,
  charset: string | undefined,
  { version: { signature } }: Classifier
): { columns: Record<string, unknown[]>; emptyRowCount: number; headerRowCount: number } {
  const wanted = signature.features.map(({ name }) => name)
  const table = readCsv(csv, { wanted, charset, action: 'predict' })
  const positions = featurePositions(wanted, table)
  const columns = signature.features.map(({ name, type }): [string, unknown[]] => {
    const valueOf = (text: string) => {
      const cell = type === 'number' ? withDecimalPoint(text, table.separator) : text
      return type === 'number' && isDecimal(cell) ? Number(cell) : cell
    }
    return [name, table.rows.map(({ cells }) => valueOf(cells[positions.get(name)!]?.trim() ?? ''))]
  })
  const { emptyRowCount, headerRowCount } = table
  return { columns: Object.fromEntries(columns), emptyRowCount, headerRowCount }
}

async function reportOf(area: MentorArea, name: string, version: number): Promise<NamedReport> {
  const json = await area.classifiers.models.report(classifierModelName(name), version)
  if (json === undefined) throw new ServiceError('NOT_FOUND', `Cannot evaluate: version ${version} no longer exists`)
  const report: VersionReport = JSON.parse(json)
  return report.evaluation
}

function writeLines(stream: Pick<ProgressStream, 'write'>, lines: readonly string[]): void {
  stream.write(`${lines.join('\n')}\n`)
}
