/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify'
import { pino, type DestinationStream, type Logger } from 'pino'

/** How much of the log waits to be written together, in characters, and for how long at most. */
const LOG_BATCH_CHARACTERS = 8192
const LOG_FLUSH_MS = 100

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

/**
 * Logs JSON lines to a file descriptor. Lines are buffered, since writing each by itself would cost more than all
 * the rest of a cached reply; `flush` writes what is left at the end of the process, and a timer in between.
 */
export function createServiceLog(level: string, fileDescriptor = 1): ServiceLog {
  const destination = pino.destination({ dest: fileDescriptor, sync: true })
  let batch = ''
  const writeBatch = (): void => {
    if (batch !== '') destination.write(batch)
    batch = ''
  }
  setInterval(writeBatch, LOG_FLUSH_MS).unref()
  const write = (line: string): void => {
    batch += line
    if (batch.length >= LOG_BATCH_CHARACTERS) writeBatch()
  }
  return { logger: createLogger(level, { write }), writeLine: (line) => write(`${line}\n`), flush: writeBatch }
}

/** A logger of the service's kind that writes to `destination`. */
export function createLogger(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, redact: { paths: REDACTED_PATHS, censor: '[redacted]' } }, destination)
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
