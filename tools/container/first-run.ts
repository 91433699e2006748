/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** The longest a process may take until it is ready, on a slow machine that builds for another CPU. */
const READY_DEADLINE_MS = 300_000
/** The level of log lines after which a process does not get ready any more. */
const FATAL_LEVEL = 60

/**
 * Runs a program of the service until it is ready, then stops it in the orderly way, which also writes its compiled code to
 * NODE_COMPILE_CACHE.
 * @throws {Error} when it does not get ready, or does not end with status 0
 */
async function runOnce(program: string): Promise<void> {
  const dataDir = await mkdtemp('/tmp/first-run-')
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', WORKER_PORT: '0', DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: READY_DEADLINE_MS,
    killSignal: 'SIGKILL'
  })
  const exited = once(child, 'exit')
  const lines: string[] = []
  let isReady = false
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    const { level, msg: message }: { level: number; msg: string } = JSON.parse(line)
    if (message === 'ready') isReady = true
    if (message === 'ready' || level >= FATAL_LEVEL) child.kill('SIGTERM')
  }
  const [code, signal] = await exited
  await rm(dataDir, { recursive: true })
  if (code === 0 && isReady) return
  process.stderr.write(`${lines.join('\n')}\n`)
  throw new Error(`Cannot run ${program} in the image: it ended with ${String(signal ?? code)}`)
}

await runOnce('src/bin/service.ts')
await runOnce('src/bin/worker.ts')
