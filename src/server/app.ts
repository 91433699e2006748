/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { ServiceError } from '../errors.ts'
import { isPreflight, notFound, replyToOptions } from './allowed-methods.ts'
import { addBodyBudget, bodyBudgetOf, type BodyBudget } from './body-budget.ts'
import { connectionGuardOf, type ConnectionGuard } from './connection-guard.ts'
import { addCors, addCorsHeaders, corsHeaders, originIn } from './cors.ts'
import { JSON_TYPE } from './encode-reply.ts'
import { toErrorReply } from './error-reply.ts'
import { RepeatedReplies } from './repeated-replies.ts'
import { assertReadableQuery } from './request-address.ts'
import { addJsonBodies, readFormAsJson } from './request-body.ts'
import { failBody, headFault, unknownExpectation } from './request-head.ts'
import { requestIdOf } from './request-id.ts'
import { createTracedLogger, logRequest, RequestLog, type RequestObserver } from './request-log.ts'
import { RequestSpans } from './request-spans.ts'
import { addDocsPage, addOpenApi } from './routes/docs/docs-page.ts'
import { cachedReplyHeaders, varyWith } from './routes/encode/encode-routes.ts'
import { playgroundRoutes } from './routes/playground/playground-routes.ts'
import { secureHeaders } from './secure-headers.ts'
import { refuseUnreadable, sendError } from './send-error.ts'
import { isSlowStream } from './streamed-request.ts'
import { addRoutes } from './add-routes.ts'
import type { AppDependencies } from './app-dependencies.ts'

const PLAYGROUND_FOLDER = join(import.meta.dirname, '../../web/dist')

/** Longest interval between two checks for requests that did not arrive in time. */
const CHECK_REQUESTS_MS = 5000

/** How long an idle connection is kept: longer than the 60 s of a load balancer, which otherwise might use one that is just being closed. */
const KEEP_ALIVE_MS = 72_000

/** Length from which on the text of a reply is sent as bytes. */
const LARGE_TEXT_CHARACTERS = 65_536

/** Maximum size of address and headers together; Node.js's parser refuses more. */
export const MAX_HEADER_BYTES = 16_384

/** Maximum length of a path parameter in UTF-16 code units: a character has up to two, and the longest name 300 characters. */
const MAX_PARAM_UNITS = 600

/** How often a stopping server looks for connections that have become idle. */
const CLOSE_IDLE_INTERVAL_MS = 50

const ErrorReplySchema = Type.Object(
  {
    statusCode: Type.Integer(),
    code: Type.String({ description: 'Names the kind of error for programs.' }),
    error: Type.String({ description: 'The status in words.' }),
    message: Type.String(),
    errors: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String()), { description: 'What is wrong, by field.' })
    )
  },
  { $id: 'ErrorReply', description: 'An error.' }
)

/** Dependencies that the parts of one server share. */
interface ServerContext {
  readonly dependencies: AppDependencies
  readonly headers: Awaited<ReturnType<typeof secureHeaders>>
  readonly bodies: BodyBudget
  readonly connections: ConnectionGuard
  readonly repeatedReplies: RepeatedReplies
  readonly observeRequest: RequestObserver
  readonly spans: RequestSpans | undefined
}

/** Builds the server with all its routes. It does not listen. */
export async function buildApp(dependencies: AppDependencies): Promise<FastifyInstance> {
  const { config, observeRequest = () => undefined } = dependencies
  const headers = await secureHeaders()
  const spans = dependencies.tracer && new RequestSpans(dependencies.tracer)
  // A cache that keeps the reply to a request without an origin may give it to a page that has one.
  const ofNoOrigin = corsHeaders(config.corsOrigin, undefined)
  const repeatedReplies = new RepeatedReplies({
    replyCache: dependencies.replyCache,
    authenticate: dependencies.authenticate,
    logger: dependencies.logger,
    observeRequest,
    ...(spans && { tellRoute: (request, route) => spans.name(request, route) }),
    headersOf: (reply) => ({
      ...headers.api,
      ...ofNoOrigin,
      ...cachedReplyHeaders(reply, dependencies.encoder.revision, config.encodeMaxAgeSeconds),
      vary: varyWith(ofNoOrigin['vary'])
    })
  })
  const { bodies = bodyBudgetOf(config), connections = connectionGuardOf(config) } = dependencies
  const context = { dependencies, headers, bodies, connections, repeatedReplies, observeRequest, spans }
  const app = createApp(context)
  await addHooks(app, context)
  await addOpenApi(app)
  await addRoutes(app, dependencies, repeatedReplies)
  await addDocsPage(app, headers.docs)
  const { playgroundFolder: folder = PLAYGROUND_FOLDER } = dependencies
  await app.register(playgroundRoutes, { folder, headers: headers.playground })
  return app
}

/** Creates the server without routes. */
function createApp(context: ServerContext) {
  const { dependencies, headers, observeRequest, spans } = context
  const { config } = dependencies
  return Fastify({
    // Fastify does not apply its server options to a server from serverFactory.
    serverFactory: (route) => createHttpServer(context, route),
    loggerInstance: dependencies.logger,
    logController: new RequestLog(observeRequest),
    ...(spans && {
      childLoggerFactory(logger, bindings, options, request) {
        const span = spans.of(request)
        return span === undefined
          ? logger.child(bindings, options)
          : createTracedLogger(logger, bindings, options, span)
      }
    }),
    genReqId: requestIdOf,
    bodyLimit: config.bodyLimitBytes,
    // Clients that are connected when the server stops are still answered; `connection: close` then ends the connection.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_UNITS },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (error, request, reply) => {
      void reply.headers(headers.api).header('x-request-id', request.id)
      // No hook runs for an address that cannot be parsed.
      addCorsHeaders(reply, config.corsOrigin, request.headers.origin)
      sendError(dependencies.reportError, error, request, reply, (body) => body)
      // Nothing else logs this request.
      request.log.info({ method: request.method, statusCode: reply.statusCode }, 'request')
    },
    clientErrorHandler: (error, socket) => {
      if (isSlowStream(error, socket) || failBody(error, socket)) return
      const requestId = requestIdOf({ headers: {} })
      if (error.code !== 'ECONNRESET')
        dependencies.logger.info({ reqId: requestId, code: error.code }, 'unreadable request')
      const ofCors = corsHeaders(config.corsOrigin, originIn(Reflect.get(error, 'rawPacket')))
      refuseUnreadable(error, socket, { ...headers.api, ...ofCors, 'x-request-id': requestId })
    }
  }).withTypeProvider<TypeBoxTypeProvider>()
}

/** Creates the HTTP server, which refuses invalid requests and answers repeated ones before they get to a route. */
function createHttpServer(context: ServerContext, route: RequestListener): Server {
  const { dependencies, connections, repeatedReplies, spans } = context
  const requestTimeoutMs = dependencies.config.requestTimeoutSeconds * 1000
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_REQUESTS_MS, requestTimeoutMs / 4),
    keepAliveTimeout: KEEP_ALIVE_MS
  }
  const serve = (request: IncomingMessage, response: ServerResponse, work: () => void): void => {
    if (spans === undefined) work()
    else spans.serve(request, response, work)
  }
  const answerNow: RequestListener = (request, response) => {
    if (!connections.admit(request, response)) return
    const fault = headFault(request)
    if (fault !== undefined) refuse(context, fault, request, response)
    else if (!repeatedReplies.answer(request, response)) route(request, response)
  }
  const answer: RequestListener =
    spans === undefined
      ? answerNow
      : (request, response) => spans.serve(request, response, () => answerNow(request, response))
  const server = createServer(options, answer)
  connections.watch(server)
  // `100 Continue` is sent only once a route reads the body: see addBodyBudget.
  server.on('checkContinue', answer)
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response, () => {
      if (connections.admit(request, response)) refuse(context, unknownExpectation(), request, response)
    })
  })
  return server
}

/** Answers a refused request that gets to no route. */
function refuse(
  { dependencies, headers, observeRequest }: ServerContext,
  error: ServiceError,
  request: IncomingMessage,
  response: ServerResponse
): void {
  const requestId = requestIdOf(request)
  const { body, headers: ofError } = toErrorReply(error)
  const all = {
    ...headers.api,
    ...corsHeaders(dependencies.config.corsOrigin, request.headers.origin),
    ...ofError,
    'x-request-id': requestId,
    'content-type': JSON_TYPE,
    connection: 'close'
  }
  const json = JSON.stringify(body)
  response.writeHead(body.statusCode, { ...all, 'content-length': Buffer.byteLength(json) }).end(json)
  const answered = { method: request.method ?? '', route: undefined, statusCode: body.statusCode, durationMs: 0 }
  logRequest(dependencies.logger, { reqId: requestId, ...answered })
  observeRequest(answered)
}

/** Adds the hooks that run for all requests before their route, and for all replies. */
async function addHooks(app: FastifyInstance, context: ServerContext): Promise<void> {
  const { dependencies, headers, bodies, connections, spans } = context
  const { config, memory } = dependencies
  app.removeContentTypeParser('text/plain')
  app.addSchema(ErrorReplySchema)
  app.setErrorHandler((error: FastifyError, request, reply) => {
    sendError(dependencies.reportError, error, request, reply, (body) => body)
  })
  if (spans !== undefined) addRequestSpans(app, spans)
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headers.api).header('x-request-id', request.id)
    if (request.method !== 'OPTIONS' || isPreflight(request)) {
      done()
      return
    }
    addCorsHeaders(reply, config.corsOrigin, request.headers.origin)
    replyToOptions(app, request, reply)
  })
  // Before the hooks that refuse requests: a page of another origin can read the error only with these headers.
  if (config.corsOrigin.length > 0) await addCors(app, config.corsOrigin)
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) throw notFound(app, request, reply)
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') throw compressedBody()
    assertReadableQuery(request.url)
    readFormAsJson(request)
    done()
  })
  addJsonBodies(app, config)
  // The hook above answers unknown addresses, before a body is read. Only missing static files get here.
  app.setNotFoundHandler((request, reply) => {
    throw notFound(app, request, reply)
  })
  closeConnectionsOnceIdle(app)
  addBodyBudget(app, bodies, () => memory?.assertMayTakeLarge())
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) {
      done(null, payload)
      return
    }
    memory?.assertMayReply(payload.length)
    connections.hold(reply.raw, payload.length)
    // Node.js takes three bytes per character for a text that waits for its connection.
    done(null, typeof payload === 'string' && payload.length > LARGE_TEXT_CHARACTERS ? Buffer.from(payload) : payload)
  })
}

/** Names the spans of requests, and runs their hooks and handlers within them; Fastify keeps the async context while it reads a body. */
function addRequestSpans(app: FastifyInstance, spans: RequestSpans): void {
  app.addHook('onRequest', (request, reply, done) => {
    // A request from an event of AWS Lambda has no span yet.
    spans.serve(request.raw, reply.raw, () => {
      spans.name(request.raw, request.routeOptions.url)
      done()
    })
  })
}

/** While the server stops, closes connections once they are idle; it would otherwise wait for the end of their keep-alive. */
function closeConnectionsOnceIdle(app: FastifyInstance): void {
  app.addHook('preClose', (done) => {
    if (app.server.listening) {
      const timer = setInterval(() => app.server.closeIdleConnections(), CLOSE_IDLE_INTERVAL_MS)
      app.server.once('close', () => clearInterval(timer))
    }
    done()
  })
}

/** Makes the error for a compressed body. Bodies are never decompressed: a small one may become huge, and decoders have had vulnerabilities. */
function compressedBody(): ServiceError {
  return new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'Cannot read the body: it is compressed, which is not supported')
}
