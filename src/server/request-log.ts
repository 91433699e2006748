/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  pino,
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
  type LogFn,
  type LoggerOptions
} from 'pino'
import { traceFields, type Span } from '../tracing/span.ts'
import { LogSampler, type LeftOutLines } from './log-sampler.ts'

/** How much of the log waits to be written together, in characters, and for how long at most. */
const LOG_BATCH_CHARACTERS = 8192
const LOG_FLUSH_MS = 100

/** A line that is not written: Fastify always logs where it listens, in words of the caller's choice. */
export const NOTHING = ''

/** A logger, and what writes out the lines it still holds. */
export interface ServiceLog {
  readonly logger: Logger
  /** Writes a line that is no log entry, in its turn and at every level. */
  readonly writeLine: (line: string) => void
  readonly flush: () => void
}

/** Where secrets would stand, should an object that holds them ever be logged. */
const REDACTED_PATHS = [
  'authorization',
  'headers.authorization',
  'req.headers.authorization',
  'request.headers.authorization',
  'apiSecretKey',
  'jwtSecretKey',
  'sentryDsn',
  'webhookSecret',
  'config.apiSecretKey',
  'config.jwtSecretKey',
  'config.sentryDsn',
  'config.webhookSecret'
]

/** Options of {@link createServiceLog}. */
export interface ServiceLogOptions {
  readonly level: string
  /** Most lines of one kind in a second; 0 for all. */
  readonly linesPerSecond: number
  /** Whether lines name the trace that they belong to. @default false */
  readonly isTraced?: boolean
  /** @default 1, standard output */
  readonly fileDescriptor?: number
}

/**
 * Logs JSON lines to a file descriptor. Of many equal lines some are written, and one that says how many were not. Lines are
 * buffered, since writing each by itself would cost more than all the rest of a cached reply; `flush` writes what is left at the end of the process, and a timer in between.
 */
export function createServiceLog(options: ServiceLogOptions): ServiceLog {
  const { level, linesPerSecond, isTraced = false, fileDescriptor = 1 } = options
  const destination = pino.destination({ dest: fileDescriptor, sync: true })
  let batch = ''
  const writeBatch = (): void => {
    if (batch !== '') destination.write(batch)
    batch = ''
  }
  const write = (line: string): void => {
    batch += line
    if (batch.length >= LOG_BATCH_CHARACTERS) writeBatch()
  }
  const log = createSampledLogger(level, linesPerSecond, { write }, isTraced)
  setInterval(() => {
    log.sampler.tellIfOver(performance.now())
    writeBatch()
  }, LOG_FLUSH_MS).unref()
  return {
    logger: log.logger,
    writeLine: (line) => write(`${line}\n`),
    flush: () => {
      log.sampler.tell(performance.now())
      writeBatch()
    }
  }
}

/** A logger that leaves out lines where too many are of one kind, and its sampler, which has to be asked for what it still holds. */
export function createSampledLogger(
  level: string,
  linesPerSecond: number,
  destination: DestinationStream,
  isTraced = false
): { readonly logger: Logger; readonly sampler: LogSampler } {
  // Whose lines are about others is not sampled itself.
  const reporter = createLogger(level, destination)
  const sampler = new LogSampler(linesPerSecond, (leftOut) => logLeftOut(reporter, leftOut))
  const logMethod = function (this: Logger, args: Parameters<LogFn>, method: LogFn, lineLevel: number): void {
    if (args[0] !== NOTHING && sampler.admit(lineLevel, args[0], args[1], performance.now())) method.apply(this, args)
  }
  const options = { hooks: { logMethod }, ...(isTraced && { mixin: traceOfLine }) }
  return { logger: createLogger(level, destination, options), sampler }
}

/** At the level of the lines themselves: whoever does not log these does not hear of them either. */
function logLeftOut(logger: Logger, { level, message, ...kind }: LeftOutLines): void {
  const fields = { line: message, ...kind }
  const name = logger.levels.labels[level] ?? 'info'
  const note = 'equal lines were left out'
  if (name === 'error') logger.error(fields, note)
  else if (name === 'warn') logger.warn(fields, note)
  else if (name === 'info') logger.info(fields, note)
  else logger.debug(fields, note)
}

function logSomething(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  if (args[0] !== NOTHING) method.apply(this, args)
}

/** A logger of the service's kind that writes to `destination`. */
export function createLogger(
  level: string,
  destination: DestinationStream,
  options: Pick<LoggerOptions, 'hooks' | 'mixin'> = {}
): Logger {
  const hooks = { logMethod: logSomething }
  const redact = { paths: REDACTED_PATHS, censor: '[redacted]' }
  return pino({ level, base: null, redact, hooks, ...options }, destination)
}

/** Loggers whose lines all belong to one trace, and name it already. */
const tracedLoggers = new WeakSet<object>()

/** The logger of a request with a span. Some of its lines are written where Node.js no longer knows whose code runs. */
export function createTracedLogger(
  logger: FastifyBaseLogger,
  bindings: Bindings,
  options: ChildLoggerOptions,
  { traceId, spanId }: Span
): FastifyBaseLogger {
  const traced = logger.child({ ...bindings, trace_id: traceId, span_id: spanId }, options)
  tracedLoggers.add(traced)
  return traced
}

function traceOfLine(_fields: object, _level: number, logger: Logger): object {
  return tracedLoggers.has(logger) ? {} : traceFields()
}

/** An answered request: the pattern of its route, not its address, since a path or a query string may hold a user's text. */
export interface AnsweredRequest {
  readonly method: string
  /** Undefined for addresses without a route. */
  readonly route: string | undefined
  readonly statusCode: number
  readonly durationMs: number
}

/** Told of every request once it is answered, for metrics. */
export type RequestObserver = (request: AnsweredRequest) => void

/** Writes the one line of a request. */
export function logRequest(logger: FastifyBaseLogger, request: AnsweredRequest & { readonly reqId?: string }): void {
  logger.info({ ...request, durationMs: Math.round(request.durationMs * 1000) / 1000 }, 'request')
}

/** One line for each request, once it is answered. */
export class RequestLog extends LogController {
  readonly #observeRequest: RequestObserver

  constructor(observeRequest: RequestObserver) {
    super()
    this.#observeRequest = observeRequest
  }

  override incomingRequest(): void {
    // The line of the reply says it all.
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const answered: AnsweredRequest = {
      method: request.method,
      route: request.routeOptions.url,
      statusCode: reply.statusCode,
      durationMs: reply.elapsedTime
    }
    if (error) request.log.warn({ ...answered, err: error }, 'reply broken off')
    else logRequest(request.log, answered)
    this.#observeRequest(answered)
  }

  override routeNotFound(): void {
    // Its request line has status 404 and no route.
  }
}
