/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { ErrorEvent } from '@sentry/node'
import { currentSpan } from '../tracing/span.ts'

/** Where an unexpected error occurred. */
export interface ErrorContext {
  readonly requestId: string
  /** Pattern of the route, such as `/v1/encode`; never the address itself. */
  readonly route: string | undefined
}

/** Reports unexpected errors to the operator. */
export interface ErrorReporter {
  report(error: unknown, context?: ErrorContext): void
  /** Sends pending reports; gives up after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}

/** Settings of error reports. */
export interface SentrySettings {
  readonly sentryDsn: string | undefined
  readonly stage: string
  /** Name and version of the build. */
  readonly release: string
}

/**
 * Creates the reporter to Sentry. Without a DSN it does nothing, and Sentry's module, which takes half a second, is not loaded.
 * Sentry's automatic instrumentation is off, since it would see requests and so users' texts.
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
