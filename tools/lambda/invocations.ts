/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import type { RuntimeApi } from './runtime-api.ts'

/** Path to which events are posted. */
export const INVOCATION_PATH = '/2015-03-31/functions/function/invocations'
/** Maximum size of an event in Lambda. */
const MAX_EVENT_BYTES = 6 * 1024 * 1024

/**
 * Takes events as AWS' emulator of the runtime interface does: a POST of the event is answered with the function's reply, or with its
 * error, 200 both times.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/images-test.html
 * @param port 0 takes a free one
 * @param host address to listen on. @default loopback only
 */
export async function listenForInvocations(
  api: Pick<RuntimeApi, 'invoke'>,
  port: number,
  host = '127.0.0.1'
): Promise<Server> {
  const server = createServer((request, response) => {
    const reply = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    if (request.method !== 'POST' || request.url !== INVOCATION_PATH) {
      reply(404, {
        message: `Cannot invoke: want a POST to ${INVOCATION_PATH}, not a ${request.method} to ${request.url}`
      })
      return
    }
    if (Number(request.headers['content-length'] ?? 0) > MAX_EVENT_BYTES) {
      reply(413, { message: `Cannot invoke: the event has more than the ${MAX_EVENT_BYTES} bytes that Lambda takes` })
      return
    }
    answer(api, request, reply).catch((error: unknown) => reply(502, { message: `Cannot invoke: ${String(error)}` }))
  })
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

async function answer(
  api: Pick<RuntimeApi, 'invoke'>,
  request: IncomingMessage,
  reply: (status: number, body: unknown) => void
): Promise<void> {
  let event: unknown
  try {
    event = JSON.parse(await text(request))
  } catch {
    reply(400, { message: 'Cannot invoke: want an event in JSON' })
    return
  }
  const outcome = await api.invoke(event)
  const { errorType, errorMessage } = outcome.outcome === 'error' ? outcome : {}
  reply(200, outcome.outcome === 'reply' ? outcome.value : { errorType, errorMessage })
}
