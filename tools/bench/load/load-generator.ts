/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Client } from 'undici'
import { percentile } from '../measure/statistics.ts'
import { loadTestTexts } from './distinct-texts.ts'

// The clients of a load test, in a process of their own so that their share of the processor can be told: see LoadGenerator.

/**
 * How a text is put to a server: at the end of an address (that of `/v1/encode`, unless `getPath` says another), or in the
 * body of OpenAI's `/embeddings`.
 */
export type RequestKind = 'get' | 'openai'

/** A closed loop: each client sends its next request when its last one has been answered. */
export interface Load {
  readonly origin: string
  readonly target:
    | { readonly kind: RequestKind; readonly firstTextIndex: number; readonly getPath?: string }
    | { readonly kind: 'path'; readonly path: string }
  readonly headers: Readonly<Record<string, string>>
  readonly clientCount: number
  /** Requests that each client has under way at a time. */
  readonly pipelining: number
  /** Warm-up before requests are counted. */
  readonly warmUpMs: number
  /** Counted time; or Infinity, with a number of requests. */
  readonly durationMs: number
  /** Maximum number of counted requests; the load then ends early. */
  readonly maxRequests: number
}

/** Result of a load: figures of the requests that were answered 200 within the counted time. */
export interface LoadResult {
  readonly requestCount: number
  readonly seconds: number
  /** Answers of another status, and connections that broke. A server that closes connections between requests breaks none. */
  readonly failureCount: number
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number }
  /** Of this process. */
  readonly cpuSeconds: number
  /** Where the next load of this server takes its first text. */
  readonly nextTextIndex: number
}

export type LoadMessage = { readonly type: 'counting' } | { readonly type: 'done'; readonly result: LoadResult }

/** Number of consecutive failures that ends a load: a broken server would fail as fast as it is called. */
const MAX_FAILURES_IN_A_ROW = 100

const texts = loadTestTexts()

process.on('message', (load: Load) => {
  void run(load).then((result) => send({ type: 'done', result }))
})
process.once('disconnect', () => process.exit())

async function run(load: Load): Promise<LoadResult> {
  let nextTextIndex = load.target.kind === 'path' ? 0 : load.target.firstTextIndex
  const latencies: number[] = []
  let failureCount = 0
  let failuresInARow = 0
  const startMs = performance.now() + load.warmUpMs
  const endMs = startMs + load.durationMs
  let lastMs = startMs
  let cpuAtStart = process.cpuUsage()

  const isOver = (): boolean => performance.now() >= endMs || latencies.length >= load.maxRequests

  const clients = Array.from(
    { length: load.clientCount },
    () => new Client(load.origin, { pipelining: load.pipelining, headersTimeout: 60_000 })
  )
  const keepAsking = async (client: Client): Promise<void> => {
    while (!isOver()) {
      const sentMs = performance.now()
      const status = await ask(client, load, () => texts.at(nextTextIndex++))
      const nowMs = performance.now()
      failuresInARow = status === 200 ? 0 : failuresInARow + 1
      if (failuresInARow > MAX_FAILURES_IN_A_ROW) throw new Error(`${load.origin} only fails, last with ${status}`)
      if (sentMs < startMs) continue
      if (status !== 200) {
        failureCount += 1
        continue
      }
      latencies.push(nowMs - sentMs)
      lastMs = nowMs
    }
  }
  const warmUp = setTimeout(() => {
    cpuAtStart = process.cpuUsage()
    send({ type: 'counting' })
  }, load.warmUpMs)
  await Promise.all(
    clients.flatMap((client) => Array.from({ length: load.pipelining }, async () => keepAsking(client)))
  )
  clearTimeout(warmUp)
  const { user, system } = process.cpuUsage(cpuAtStart)
  await Promise.all(clients.map(async (client) => client.destroy()))
  const sorted = Float64Array.from(latencies).toSorted()
  if (sorted.length === 0) throw new Error(`No request to ${load.origin} was answered 200`)
  return {
    requestCount: sorted.length,
    seconds: (lastMs - startMs) / 1000,
    failureCount,
    latencyMs: {
      p50: percentile(sorted, 0.5),
      p95: percentile(sorted, 0.95),
      p99: percentile(sorted, 0.99),
      max: percentile(sorted, 1)
    },
    cpuSeconds: (user + system) / 1e6,
    nextTextIndex
  }
}

/** Sends one request and reads its answer to the end; gives the status, or 0 when the connection broke. */
async function ask(client: Client, { target, headers }: Load, nextText: () => string): Promise<number> {
  return await new Promise((resolve) => {
    let status = 0
    client.dispatch(
      target.kind === 'openai'
        ? {
            method: 'POST',
            path: '/embeddings',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'all-MiniLM-L6-v2', input: nextText() })
          }
        : {
            method: 'GET',
            path:
              target.kind === 'path'
                ? target.path
                : `${target.getPath ?? '/v1/encode?query='}${encodeURIComponent(nextText())}`,
            headers
          },
      {
        onRequestStart() {
          // undici asks for this one.
        },
        onResponseStart(_controller, statusCode) {
          status = statusCode
        },
        onResponseData() {
          // Nothing is made of the body: parsing numbers would cost as much as the rest of this process.
        },
        onResponseEnd() {
          resolve(status)
        },
        onResponseError() {
          resolve(0)
        }
      }
    )
  })
}

function send(message: LoadMessage): void {
  process.send?.(message)
}
