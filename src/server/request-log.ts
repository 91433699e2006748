/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import { pino, type DestinationStream, type Logger } from 'pino'

/** How much of the log waits to be written together, in characters, and for how long at most. */
const LOG_BATCH_CHARACTERS = 8192
const LOG_FLUSH_MS = 100

/** A logger, and what writes out the lines it still holds. */
export interface ServiceLog {
  readonly logger: Logger
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
  'config.apiSecretKey',
  'config.jwtSecretKey',
  'config.sentryDsn'
]

/**
 * Logs JSON lines to a file descriptor. Lines wait for company, since writing each by itself would cost more than
 * all the rest of a cached reply; `flush` writes what is left at the end of the process, and a timer in between.
 */
export function createServiceLog(level: string, fileDescriptor = 1): ServiceLog {
  const destination = pino.destination({ dest: fileDescriptor, sync: false })
  let batch = ''
  const writeBatch = (): void => {
    if (batch !== '') destination.write(batch)
    batch = ''
  }
  setInterval(writeBatch, LOG_FLUSH_MS).unref()
  const logger = createLogger(level, {
    write(line) {
      batch += line
      if (batch.length >= LOG_BATCH_CHARACTERS) writeBatch()
    }
  })
  const flush = (): void => {
    writeBatch()
    destination.flushSync()
  }
  return { logger, flush }
}

/** A logger of the service's kind that writes to `destination`. */
export function createLogger(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, redact: REDACTED_PATHS }, destination)
}

/**
 * One line for each request, once it is answered. It names the route's pattern, not the address:
 * a path or a query string may hold a user's text.
 */
export class RequestLog extends LogController {
  override incomingRequest(): void {
    // The line of the reply says it all.
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const line = {
      method: request.method,
      route: request.routeOptions.url,
      statusCode: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 1000) / 1000
    }
    if (error) request.log.warn({ ...line, err: error }, 'reply broken off')
    else request.log.info(line, 'request')
  }

  override routeNotFound(): void {
    // Its request line has status 404 and no route.
  }
}
