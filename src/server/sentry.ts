/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { ErrorEvent } from '@sentry/node'
import { currentSpan } from '../tracing/span.ts'

/** Where an unexpected error came up. */
export interface ErrorContext {
  readonly requestId: string
  /** Pattern of the route, such as `/v1/encode`; never the address itself. */
  readonly route: string | undefined
}

/** Reports bugs to those who run the service. */
export interface ErrorReporter {
  report(error: unknown, context?: ErrorContext): void
  /** Sends what is left to send; gives up after a while. */
  close(timeoutMs: number): Promise<void>
}

/** How errors are reported. */
export interface SentrySettings {
  readonly sentryDsn: string | undefined
  readonly stage: string
  /** Which build this is. */
  readonly release: string
}

/**
 * Reports to Sentry, or to nobody where no DSN is set: then its module is not even loaded, which would take half a second.
 * None of its automatic instruments are on: they would see requests, and with them users' texts.
 */
export async function createErrorReporter(settings: SentrySettings): Promise<ErrorReporter> {
  if (settings.sentryDsn === undefined) return { report() {}, async close() {} }
  const sentry = await import('@sentry/node')
  sentry.init({
    dsn: settings.sentryDsn,
    release: settings.release,
    environment: settings.stage,
    defaultIntegrations: false,
    integrations: [sentry.linkedErrorsIntegration(), sentry.dedupeIntegration()],
    maxBreadcrumbs: 0,
    beforeSend: withoutRequest
  })
  return {
    report(error, context) {
      const span = currentSpan()
      const tags = {
        ...(context !== undefined && { request_id: context.requestId, route: context.route ?? 'none' }),
        ...(span !== undefined && { trace_id: span.traceId })
      }
      sentry.captureException(error, { tags })
    },
    async close(timeoutMs) {
      await sentry.close(timeoutMs)
    }
  }
}

/** Removes the request's data from an event: address, headers, body, user. */
export function withoutRequest(event: ErrorEvent): ErrorEvent {
  const { request: _request, user: _user, extra: _extra, breadcrumbs: _breadcrumbs, ...rest } = event
  return rest
}
