/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { modelPath } from '../fixtures/model-path.ts'

/** The service as a process, and what it has said. */
export interface Service {
  readonly child: ChildProcess
  /** Where it keeps its files: a folder of its own. */
  readonly dataDir: string
  readonly stderr: string[]
  readonly log: Record<string, unknown>[]
  readonly exited: Promise<[code: number | null, signal: string | null]>
  /** The first line of the log, said already or to come, with this message. */
  logged(message: string): Promise<Record<string, unknown>>
  /** The first line on standard error that matches. */
  said(pattern: RegExp): Promise<string>
}

/** What ends with a test, or with whatever else starts a service; `TestContext` fits. */
export interface Lifetime {
  after(end: () => Promise<void>): void
}

/**
 * Starts an entry of the service as a process of its own, on a free port, and kills it after the test.
 * @param wrap a command that runs the rest of its line, such as `faketime +1h`
 */
export function startService(
  t: Lifetime,
  entry: string,
  env: Record<string, string>,
  args: readonly string[] = [],
  wrap: readonly string[] = []
): Service {
  const dataDir = mkdtempSync(join(tmpdir(), 'service-'))
  const [command = process.execPath, ...commandArgs] = [...wrap, process.execPath, entry, ...args]
  const child = spawn(command, commandArgs, {
    env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
    rmSync(dataDir, { recursive: true })
  })
  const log: Record<string, unknown>[] = []
  const stderr: string[] = []
  const news = new EventTarget()
  createInterface(child.stdout).on('line', (line) => {
    log.push(JSON.parse(line))
    news.dispatchEvent(new Event('line'))
  })
  createInterface(child.stderr).on('line', (line) => {
    stderr.push(line)
    news.dispatchEvent(new Event('line'))
  })
  const exited = once(child, 'close').then(([code, signal]): [number | null, string | null] => [code, signal])
  async function firstOf<Line>(lines: readonly Line[], isWanted: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = lines.find(isWanted)
      if (found !== undefined) return found
      await once(news, 'line')
    }
  }
  return {
    child,
    dataDir: env['DATA_DIR'] ?? dataDir,
    stderr,
    log,
    exited,
    logged: (message) => firstOf(log, (line) => line['msg'] === message),
    said: (pattern) => firstOf(stderr, (line) => pattern.test(line))
  }
}

const SERVICE = join(import.meta.dirname, '../../src/bin/service.ts')

/** A service that is ready to answer. */
export interface ReadyService extends Service {
  readonly origin: string
}

/** Starts the service with the real model, and resolves when it is ready. */
export async function startReadyService(t: Lifetime, env: Record<string, string>): Promise<ReadyService> {
  const service = startService(t, SERVICE, { MODEL_DIR: join(modelPath, 'compiled'), ENCODE_WORKERS: '1', ...env })
  await service.logged('ready')
  const { address } = await service.logged('listening')
  return { ...service, origin: String(address) }
}
