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

/** Size of the log's write buffer in characters, and its flush interval. */
const LOG_BATCH_CHARACTERS = 8192
const LOG_FLUSH_MS = 100

/** Message that is not logged: replaces the line with which Fastify always logs where it listens. */
export const NOTHING = ''

/** A logger with a write buffer. */
export interface ServiceLog {
  readonly logger: Logger
  /** Writes a line that is not a log entry, in order with the others and at any level. */
  readonly writeLine: (line: string) => void
  readonly flush: () => void
}

/** Paths of secrets, should an object with them ever be logged. */
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
  /** Maximum number of lines of one kind per second; 0 for all. */
  readonly linesPerSecond: number
  /** Whether lines have the ids of their trace. @default false */
  readonly isTraced?: boolean
  /** @default 1, standard output */
  readonly fileDescriptor?: number
}

/**
 * Creates a log of JSON lines to a file descriptor. Of many lines of one kind only some are written, and one that counts the
 * rest. Lines are buffered, since writing each by itself would cost more than the rest of a cached reply; a timer writes the
 * buffer, and `flush` does at the end of the process.
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

/** Creates a logger that drops lines when too many are of one kind, and its sampler, which the caller must ask for pending reports. */
export function createSampledLogger(
  level: string,
  linesPerSecond: number,
  destination: DestinationStream,
  isTraced = false
): { readonly logger: Logger; readonly sampler: LogSampler } {
  // The lines about dropped lines are not sampled themselves.
  const reporter = createLogger(level, destination)
  const sampler = new LogSampler(linesPerSecond, (leftOut) => logLeftOut(reporter, leftOut))
  const logMethod = function (this: Logger, args: Parameters<LogFn>, method: LogFn, lineLevel: number): void {
    if (args[0] !== NOTHING && sampler.admit(lineLevel, args[0], args[1], performance.now())) method.apply(this, args)
  }
  const options = { hooks: { logMethod }, ...(isTraced && { mixin: traceOfLine }) }
  return { logger: createLogger(level, destination, options), sampler }
}

/** Logs how many lines were dropped, at the level of the lines themselves, so that it appears only where they would. */
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

/** Creates a logger with the service's options that writes to `destination`. */
export function createLogger(
  level: string,
  destination: DestinationStream,
  options: Pick<LoggerOptions, 'hooks' | 'mixin'> = {}
): Logger {
  const hooks = { logMethod: logSomething }
  const redact = { paths: REDACTED_PATHS, censor: '[redacted]' }
  return pino({ level, base: null, redact, hooks, ...options }, destination)
}

/** Loggers of one request's trace, whose bindings have its ids already. */
const tracedLoggers = new WeakSet<object>()

/** Creates the logger of a request with a span. It binds the trace's ids, since some lines are written outside of the async context. */
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

/** An answered request, with the pattern of its route instead of its address, which may hold a user's text. */
export interface AnsweredRequest {
  readonly method: string
  /** Undefined for addresses without a route. */
  readonly route: string | undefined
  readonly statusCode: number
  readonly durationMs: number
}

/** Called with every answered request, for metrics. */
export type RequestObserver = (request: AnsweredRequest) => void

/** Logs an answered request. */
export function logRequest(logger: FastifyBaseLogger, request: AnsweredRequest & { readonly reqId?: string }): void {
  logger.info({ ...request, durationMs: Math.round(request.durationMs * 1000) / 1000 }, 'request')
}

/** Logs one line for each request, once it is answered. */
export class RequestLog extends LogController {
  readonly #observeRequest: RequestObserver

  constructor(observeRequest: RequestObserver) {
    super()
    this.#observeRequest = observeRequest
  }

  override incomingRequest(): void {
    // The line of the reply suffices.
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
    // The request's line has status 404 and no route.
  }
}
