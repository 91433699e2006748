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

/** A service of its own, with nothing in it. */
export interface StartedService {
  readonly origin: string
  readonly apiKey: string
  stop(): Promise<void>
}

/**
 * Starts the service on a free port of loopback, and waits until it is ready.
 * @throws Error when it ends before
 */
export async function startService(): Promise<StartedService> {
  const folder = await mkdtemp(join(tmpdir(), 'test-clients-'))
  const apiKey = 'key-of-the-clients'
  const env = { ...process.env, PORT: '0', HOST: '127.0.0.1', API_SECRET_KEY: apiKey, DATA_DIR: join(folder, 'data') }
  const entry = join(import.meta.dirname, '../../src/bin/service.ts')
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true })
  }
  let origin = ''
  for await (const line of createInterface(child.stdout)) {
    const { msg, address }: { msg: string; address?: string } = JSON.parse(line)
    if (msg === 'listening' && address !== undefined) origin = address
    if (msg === 'ready') {
      child.stdout.resume()
      return { origin, apiKey, stop }
    }
  }
  await stop()
  throw new Error('The service ended before it was ready')
}
