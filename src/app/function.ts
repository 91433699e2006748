/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import awsLambdaFastify from '@fastify/aws-lambda'
import { predictionsJson } from '../classifier/prediction-reply.ts'
import type { Environment } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'
import { ServiceError } from '../errors.ts'
import { LambdaRuntime, type InvocationHandler } from '../platform/lambda-runtime.ts'
import { readFeatureColumns, type PredictLimits } from '../table/feature-columns.ts'
import { hasText } from '../table/signature.ts'
import { openKeyRing } from './api-keys.ts'
import { openApp, type ServedApp, type CreateEncoding } from './open-app.ts'
import { giveUp, openProcess, type ProcessKind } from './open-process.ts'

const FUNCTION: ProcessKind = {
  name: 'lambda',
  starting: 'starting a function',
  unfinished: 'an event was still being answered'
}

/** How long the last error reports may take to be sent. */
const REPORTS_DEADLINE_MS = 500

/** How long the traces of an event may take to be sent before the event is answered. */
const TRACES_DEADLINE_MS = 500

/** Answers an event with a JSON document; throws a {@link ServiceError} for an event that it cannot answer. */
type EventHandler = (event: unknown) => Promise<string>

/**
 * Runs the service as a function of AWS Lambda until a signal ends it: loads the model, then answers one event after the
 * other. When it cannot start, the process ends with status 1, and the reason is on standard error or, if the model could not
 * be loaded, in the reply to the waiting call.
 */
export async function runFunction(env: Environment, createEncoding: CreateEncoding): Promise<void> {
  const settings = await withSecrets(env)
  const context = settings && (await openProcess(settings, FUNCTION))
  if (context === undefined) return
  const { config, log, emfReporter, closing, stopping } = context
  const { logger } = log
  if (config.awsLambdaRuntimeApi === undefined) {
    giveUp(
      'Cannot start: AWS_LAMBDA_RUNTIME_API is not set, so this is not AWS Lambda. npm run invoke stands in for it'
    )
    return context.close()
  }
  const keyRing = await openKeyRing(context)
  if (keyRing === undefined) return context.close()
  const runtime = new LambdaRuntime(config.awsLambdaRuntimeApi)
  closing.defer(() => runtime.close())
  // A function's DATA_DIR does not outlive its environment, and no job would run while that is frozen.
  const served = await openApp(context, createEncoding, {
    apiSecretKey: config.apiSecretKey,
    keyRing,
    containerId: env['AWS_LAMBDA_LOG_STREAM_NAME'] ?? 'local',
    keepsData: false,
    reportsDeadlineMs: REPORTS_DEADLINE_MS
  })
  const { app, encoding } = served
  closing.defer(() => app.close())
  const grace = context.closeOnSignal()

  try {
    await encoding.start()
    await app.ready()
  } catch (error) {
    logger.fatal({ err: error }, 'the model could not be loaded')
    await runtime.reportInitError(new ServiceError('UNAVAILABLE', 'Cannot start: the model could not be loaded'))
    grace.uninstall()
    process.exitCode = 1
    return context.close()
  }
  logger.info({ revision: encoding.encoder.revision }, 'ready')

  const answer = answerEvents(served, config)
  const handle: InvocationHandler = async ({ requestId, event }) => {
    try {
      return await answer(event)
    } catch (error) {
      throw callersError(error, requestId, served, (err) => logger.error({ err, requestId }, 'event failed'))
    } finally {
      // The environment is frozen once the outcome is posted: what is not written before may be lost.
      await Promise.all([emfReporter?.reportIfDue(), context.tracing.flush(TRACES_DEADLINE_MS)])
      log.flush()
    }
  }
  await runtime.run(handle, stopping)
}

/** Returns the environment with the secrets of `LAMBDA_SECRETS` added; undefined when one cannot be read. */
async function withSecrets(env: Environment): Promise<Environment | undefined> {
  const { LAMBDA_SECRETS: list } = env
  if (list === undefined || list === '') return env
  // Loaded only when needed: loading the SDK takes a quarter of a second.
  const { readSecretSettings } = await import('../platform/secret-settings.ts')
  try {
    return { ...env, ...(await readSecretSettings(list)) }
  } catch (error) {
    return giveUp(error instanceof Error ? error.message : String(error))
  }
}

/** The error that the function's caller sees. A bug of ours is logged and reported, and the caller gets no details. */
function callersError(error: unknown, requestId: string, { errors }: ServedApp, log: (error: unknown) => void): Error {
  if (error instanceof ServiceError) return error
  log(error)
  errors.report(error, { requestId, route: undefined })
  return new Error('Cannot answer the event: see the log of the function')
}

function answerEvents(served: ServedApp, config: Config): EventHandler {
  const { lambdaClassifier } = config
  const answerer = (albMultiValueHeaders: boolean) =>
    awsLambdaFastify(served.app, {
      decorateRequest: false,
      // Commas are part of sentences, not separators.
      parseCommaSeparatedQueryParams: false,
      enforceBase64: ({ headers }) => !isText(headers['content-type'] ?? ''),
      albMultiValueHeaders
    })
  const answerHttp = answerer(false)
  const answerOfLists = answerer(true)
  return async (event) => {
    if (isHttpEvent(event)) {
      const request = withQueryAsSent(withoutStage(event))
      // A load balancer that gives each header as a list wants such lists back.
      const hasListsAlone = request.headers === undefined && request.multiValueHeaders !== undefined
      return JSON.stringify(await (hasListsAlone ? answerOfLists : answerHttp)(request, undefined))
    }
    if (lambdaClassifier !== undefined && isRecord(event)) return predict(served, lambdaClassifier, event, config)
    throw new ServiceError(
      'INVALID_REQUEST',
      lambdaClassifier === undefined
        ? 'Cannot answer the event: it is not an HTTP request of API Gateway, a function URL or a load balancer. For a bare object of ' +
            'columns LAMBDA_CLASSIFIER names the classifier that answers; it is not set'
        : 'Cannot answer the event: it is neither an HTTP request nor an object of columns'
    )
  }
}

/** Predicts the classes of bare columns, as `POST /v1/classifiers/{classifier}/predict` does without a query string. */
async function predict(
  { mentors }: ServedApp,
  name: string,
  columns: Record<string, unknown>,
  limits: PredictLimits
): Promise<string> {
  const classifier = await mentors.classifiers.classifiers.open(name)
  const { signature } = classifier.version
  const { rows } = await classifier.predict(readFeatureColumns(columns, signature, limits), {})
  return predictionsJson(rows, signature.label.type, { hasProbability: hasText(signature), topK: 0 })
}

type Values = Readonly<Record<string, string>>
type Lists = Readonly<Record<string, readonly string[]>>

interface HttpEvent {
  readonly version?: string
  readonly path?: string
  readonly rawPath?: string
  readonly rawQueryString?: string
  readonly queryStringParameters?: Values | null | undefined
  readonly multiValueQueryStringParameters?: Lists | null | undefined
  readonly headers?: Values
  readonly multiValueHeaders?: Lists
  readonly requestContext: { readonly stage?: string; readonly elb?: object }
}

function isHttpEvent(event: unknown): event is HttpEvent {
  if (!isRecord(event) || !isRecord(event['requestContext'])) return false
  return 'httpMethod' in event || 'http' in event['requestContext']
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Removes the stage's name, which HTTP APIs put before the path. */
function withoutStage(event: HttpEvent): HttpEvent {
  const prefix = `/${event.requestContext.stage ?? ''}/`
  if (event.version !== '2.0' || event.rawPath?.startsWith(prefix) !== true) return event
  return { ...event, rawPath: event.rawPath.slice(prefix.length - 1) }
}

/**
 * Moves the query string into the path as the caller sent it, where the event has it so: then it is read, or refused, as that
 * of any request. An HTTP API's parameters join repeated ones by commas; a load balancer's are still percent-encoded.
 */
function withQueryAsSent(event: HttpEvent): HttpEvent {
  const { queryStringParameters, multiValueQueryStringParameters, ...rest } = event
  if (event.version === '2.0' && event.rawQueryString !== undefined) {
    return { ...rest, rawPath: addressOf(event.rawPath, event.rawQueryString) }
  }
  if (event.requestContext.elb === undefined) return event
  const pairs = multiValueQueryStringParameters
    ? Object.entries(multiValueQueryStringParameters).flatMap(([name, values]) => values.map((one) => `${name}=${one}`))
    : Object.entries(queryStringParameters ?? {}).map(([name, value]) => `${name}=${value}`)
  return { ...rest, path: addressOf(event.path, pairs.join('&')) }
}

function addressOf(path = '/', query: string): string {
  return query === '' ? path : `${path}?${query}`
}

/** Whether a body is text, which needs no base64 in the reply's JSON. */
function isText(contentType: string): boolean {
  return (
    contentType === '' ||
    /^(?:text\/|application\/(?:[\w.+-]*json|[\w.-]*javascript|[\w.+-]*xml)\b|image\/svg)/.test(contentType)
  )
}
