/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { startService, type Service } from '../../test/app/service-process.ts'
import type { Random } from '../simulate-jobs/random.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENTRY = join(ROOT, 'src/bin/service.ts')
const API_KEY = 'fault-test-key'
const JWT_SECRET = 'a-secret-of-the-fault-test-of-32-characters'
const START_DEADLINE_MS = 120_000
const ASK_WITHIN_MS = 60_000

/** What the start command of package.json sets, since it decides how much memory a process keeps. */
const START_ENVIRONMENT = startEnvironment()

/** A running service. */
export interface Running {
  readonly service: Service
  readonly origin: string
  readonly port: number
  /** Asks with a key that may do everything. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Reply>
}

/** A reply, read to its end. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** How to start a service. */
export interface StartOptions {
  readonly env?: Record<string, string>
  /** A command that runs the rest of its line. */
  readonly wrap?: readonly string[]
  /** Whether to wait for the model. @default true */
  readonly untilReady?: boolean
}

/** What a fault is tried in: chance from a seed, and services that end with it. */
export class Lab implements AsyncDisposable {
  readonly random: Random
  readonly #ends: (() => Promise<void>)[] = []

  constructor(random: Random) {
    this.random = random
  }

  /** Calls `end` when the fault has been tried, the last one first. */
  after(end: () => Promise<void>): void {
    this.#ends.push(end)
  }

  /** Starts the real service, as `npm start` does. */
  async start({ env = {}, wrap = [], untilReady = true }: StartOptions = {}): Promise<Running> {
    const settings = { API_SECRET_KEY: API_KEY, JWT_SECRET_KEY: JWT_SECRET, MODEL_DIR: modelDir(), ...env }
    const service = startService(this, ENTRY, { ...START_ENVIRONMENT, ...settings }, [], wrap)
    const address = String((await inTime(service, service.logged('listening')))['address'])
    if (untilReady) await inTime(service, service.logged('ready'))
    return {
      service,
      origin: address,
      port: Number(new URL(address).port),
      ask: (path, init) => askAt(address + path, init)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.toReversed()) await end()
  }
}

/** Token of a caller with access to its own mentors only. */
export async function tokenOf(id: string, mentorIds: readonly string[] = []): Promise<string> {
  return new SignJWT({ id, role: 'USER', mentorIds: [...mentorIds] })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(JWT_SECRET))
}

/** A body of JSON. */
export function posted(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

/** Resident memory of a process now, in bytes. */
export function residentBytes(pid: number | undefined): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

async function askAt(url: string, init: RequestInit = {}): Promise<Reply> {
  const headers = new Headers(init.headers)
  if (!headers.has('authorization')) headers.set('authorization', `Bearer ${API_KEY}`)
  const reply = await fetch(url, { signal: AbortSignal.timeout(ASK_WITHIN_MS), ...init, headers })
  return { status: reply.status, headers: reply.headers, text: await reply.text() }
}

async function inTime<Line>(service: Service, line: Promise<Line>): Promise<Line> {
  let timer: NodeJS.Timeout | undefined
  const { promise: late, reject } = Promise.withResolvers<never>()
  timer = setTimeout(() => reject(new Error(`not started within ${START_DEADLINE_MS} ms`)), START_DEADLINE_MS)
  const ended = service.exited.then(([code, signal]) => {
    throw new Error(`the service ended at its start (${code ?? signal}): ${service.stderr.join('\n')}`)
  })
  try {
    return await Promise.race([line, late, ended])
  } finally {
    clearTimeout(timer)
    ended.catch(() => undefined)
  }
}

function modelDir(): string {
  return process.env['MODEL_DIR'] ?? join(ROOT, 'models/all-MiniLM-L6-v2/compiled')
}

function startEnvironment(): Record<string, string> {
  const { scripts }: { scripts: { start: string } } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const pairs = [...scripts.start.matchAll(/\b([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  assert(pairs.length > 0)
  return Object.fromEntries(pairs)
}
