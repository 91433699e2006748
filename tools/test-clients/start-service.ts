/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A started service with empty storage. */
export interface StartedService {
  readonly origin: string
  readonly apiKey: string
  /** Number of answered requests for embeddings in its log, which lags by a tenth of a second. */
  readonly answeredCount: () => number
  stop(): Promise<void>
}

/**
 * Starts the service on a free port of loopback, and waits until it is ready.
 * @throws Error when it ends before
 */
export async function startService(): Promise<StartedService> {
  const folder = await mkdtemp(join(tmpdir(), 'test-clients-'))
  const apiKey = 'key-of-the-clients'
  const own = { PORT: '0', HOST: '127.0.0.1', API_SECRET_KEY: apiKey, DATA_DIR: join(folder, 'data') }
  const env = { ...process.env, ...own, LOG_LEVEL: 'info', LOG_FORMAT: 'json', LOG_LINES_PER_SECOND: '0' }
  const entry = join(import.meta.dirname, '../../src/bin/service.ts')
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true })
  }
  let answeredCount = 0
  let origin: string | undefined
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  createInterface(child.stdout).on('line', (line) => {
    const { msg, address, route, statusCode }: Record<string, unknown> = JSON.parse(line)
    if (msg === 'listening') origin = String(address)
    if (msg === 'ready') resolve()
    if (route === '/v1/embeddings' && statusCode === 200) answeredCount += 1
  })
  await Promise.race([ready, exited])
  if (origin === undefined || child.exitCode !== null) {
    await stop()
    throw new Error('The service ended before it was ready')
  }
  return { origin, apiKey, answeredCount: () => answeredCount, stop }
}
