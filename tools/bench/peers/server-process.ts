/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'

/** How to start a server. */
export interface ServerProgram {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Path that answers 200 once the server is ready. */
  readonly readyPath: string
}

const ROOT = join(import.meta.dirname, '../../..')
/** Git-ignored. */
export const LOGS_FOLDER = join(ROOT, '.cache/bench/logs')
const READY_TIMEOUT_MS = 120_000
const READY_POLL_MS = 5
const STOP_TIMEOUT_MS = 15_000

const running = new Set<number>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.once('exit', () => {
  for (const group of running) signalGroup(group, 'SIGKILL')
})

/** A server in processes of its own; they end with this program, however that ends. */
export class ServerProcess implements AsyncDisposable {
  readonly origin: string
  /** Of all that the server started. */
  readonly processGroup: number
  /** Time from the start of the process to the first answer that it is ready. */
  readonly startMs: number
  readonly #child: ChildProcess

  private constructor(origin: string, child: ChildProcess, processGroup: number, startMs: number) {
    this.origin = origin
    this.#child = child
    this.processGroup = processGroup
    this.startMs = startMs
  }

  /**
   * Starts a server on a free port and waits until it is ready. Its log goes to a file in `.cache/bench/logs`.
   * @param program makes the command from the port to listen on
   * @throws Error when the server ends before, or is not ready within two minutes
   */
  static async start(program: (port: number) => ServerProgram): Promise<ServerProcess> {
    const port = await freePort()
    const { name, command, args, env, readyPath } = program(port)
    mkdirSync(LOGS_FOLDER, { recursive: true })
    const logPath = join(LOGS_FOLDER, `${name}.log`)
    const log = openSync(logPath, 'w')
    const startedMs = performance.now()
    // A process group of its own: its number is the way to signal and to measure all that the server starts.
    const child = spawn(command, args, {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log]
    })
    closeSync(log)
    await once(child, 'spawn')
    const group = child.pid
    if (group === undefined) throw new Error(`Cannot start ${name}: it has no process id`)
    running.add(group)
    const origin = `http://127.0.0.1:${port}`
    while (!(await isReady(origin + readyPath))) {
      const elapsedMs = performance.now() - startedMs
      const ended = child.exitCode ?? child.signalCode
      if (ended !== null || elapsedMs > READY_TIMEOUT_MS) {
        await stopGroup(child, group)
        const how = ended === null ? 'it is not ready' : `it ended with ${ended}`
        throw new Error(`Cannot start ${name}: ${how} after ${(elapsedMs / 1000).toFixed(1)} s; see ${logPath}`)
      }
      await sleep(READY_POLL_MS)
    }
    return new ServerProcess(origin, child, group, performance.now() - startedMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopGroup(this.#child, this.processGroup)
  }
}

/** A port of 127.0.0.1 that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has an address of this kind
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function isReady(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { headersTimeout: READY_TIMEOUT_MS, reset: true })
    await body.dump()
    return statusCode === 200
  } catch {
    return false // It does not listen yet.
  }
}

async function stopGroup(child: ChildProcess, group: number): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null
  const ended = hasEnded ? undefined : once(child, 'exit')
  signalGroup(group, 'SIGTERM')
  await Promise.race([ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })])
  // Also what the server may have left behind.
  signalGroup(group, 'SIGKILL')
  await ended
  running.delete(group)
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // It has ended.
  }
}
