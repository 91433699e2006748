/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Runs the images that tools/container/check.sh has built, as production would: no network but the loopback device, no
// capability, a read-only root, no root user, 512 MB. Says what it saw, and ends with 1 when something was not as promised.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { RuntimeApi } from '../lambda/runtime-api.ts'

const run = promisify(execFile)

const PODMAN = ['--storage-driver', 'overlay', '--runtime', 'runc', '--cgroup-manager', 'cgroupfs']
const MEMORY_BYTES = 512 * 1024 * 1024
const MAX_IMAGE_BYTES = 350e6
const READY_DEADLINE_MS = 60_000
const STOP_SECONDS = 10
const API_KEY = 'container-check-key'
const AUTHORIZED = { authorization: `Bearer ${API_KEY}` }
/** Load on the service: calls at a time, calls in all, sentences of each. */
const LOAD = { concurrency: 16, callCount: 200, sentencesPerCall: 8 }

async function podman(...args: string[]): Promise<string> {
  const { stdout } = await run('podman', [...PODMAN, ...args], { maxBuffer: 64 * 1024 * 1024 })
  return stdout.trim()
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** A container that runs, and is removed whatever happens. */
class Container implements AsyncDisposable {
  readonly target: string
  readonly #id: string

  private constructor(target: string, id: string) {
    this.target = target
    this.#id = id
  }

  static async run(target: string, env: Record<string, string>): Promise<Container> {
    const settings = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    const id = await podman(
      'run',
      '--detach',
      // The network of the caller, which has only the loopback device.
      '--network=host',
      '--read-only',
      // Not even a folder for temporary files, but the volume of the image; Lambda has its own, as have the functions here.
      '--read-only-tmpfs=false',
      ...(target === 'lambda' ? ['--tmpfs=/tmp'] : []),
      '--cap-drop=all',
      '--security-opt=no-new-privileges',
      `--memory=${MEMORY_BYTES}`,
      '--no-healthcheck',
      // Without these two, podman requests limits that are not allowed inside a container.
      '--ulimit=nofile=8192:8192',
      '--ulimit=nproc=4096:4096',
      ...settings,
      `localhost/sbert-service-${target}:check`
    )
    return new Container(target, id)
  }

  /** Waits until the program in it has logged a message. */
  async logged(message: string): Promise<void> {
    const deadline = performance.now() + READY_DEADLINE_MS
    while (!(await this.log()).includes(`"msg":"${message}"`)) {
      const isRunning = (await this.#inspect('{{.State.Running}}')) === 'true'
      if (!isRunning || performance.now() > deadline) {
        throw new Error(`The ${this.target} has not logged "${message}":\n${await this.log()}`)
      }
      await delay(100)
    }
  }

  async log(): Promise<string> {
    const { stdout, stderr } = await run('podman', [...PODMAN, 'logs', this.#id], { maxBuffer: 64 * 1024 * 1024 })
    return stdout + stderr
  }

  /** Runs the image's own health check, as an engine would. */
  async isHealthy(): Promise<boolean> {
    const image = `localhost/sbert-service-${this.target}:check`
    const check: unknown = JSON.parse(await podman('image', 'inspect', '--format', '{{json .HealthCheck.Test}}', image))
    assert(Array.isArray(check) && check[0] === 'CMD')
    return podman('exec', this.#id, ...check.slice(1).map(String)).then(
      () => true,
      () => false
    )
  }

  /** What it is allowed: ids, capabilities and whether anything but its volume can be written to. */
  async privileges(): Promise<{ ids: string; capabilities: string; writable: string[] }> {
    const status = await readFile(`/proc/${await this.#inspect('{{.State.Pid}}')}/status`, 'utf8')
    const line = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
    const script = `for (const path of ['/', '/app', '/app/src', '/app/.cache/node', '/usr/local/bin', '/data', '/tmp'])
      try { fs.writeFileSync(path + '/probe', ''); fs.unlinkSync(path + '/probe'); console.log(path) } catch {}`
    const writable = await podman('exec', this.#id, 'node', '-e', script)
    return {
      ids: line('Uid'),
      capabilities: line('CapEff'),
      writable: writable.split('\n').filter((path) => path !== '')
    }
  }

  /** Peak memory so far, page cache included, and current resident memory. */
  async memory(): Promise<{ peakBytes: number; residentBytes: number }> {
    const pid = await this.#inspect('{{.State.Pid}}')
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8')
    const version1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1]
    const version2 = /^0::(.*)$/m.exec(groups)?.[1] ?? ''
    const peakFile =
      version1 === undefined
        ? `/sys/fs/cgroup${version2}/memory.peak`
        : `/sys/fs/cgroup/memory${version1}/memory.max_usage_in_bytes`
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return {
      peakBytes: Number(await readFile(peakFile, 'utf8')),
      residentBytes: Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024
    }
  }

  /** Stops it by SIGTERM, as an engine does. */
  async stop(): Promise<{ seconds: number; exitCode: number }> {
    const beganMs = performance.now()
    await podman('stop', '--time', String(STOP_SECONDS), this.#id)
    const seconds = (performance.now() - beganMs) / 1000
    return { seconds, exitCode: Number(await this.#inspect('{{.State.ExitCode}}')) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await podman('rm', '--force', '--volumes', '--time', '0', this.#id)
  }

  async #inspect(format: string): Promise<string> {
    return podman('inspect', '--format', format, this.#id)
  }
}

async function checkImage(target: string): Promise<void> {
  const inspected = await podman(
    'image',
    'inspect',
    '--format',
    '{{.Size}} {{.Config.User}}',
    `localhost/sbert-service-${target}:check`
  )
  const [bytes, user] = inspected.split(' ')
  say(`${target}: ${(Number(bytes) / 1e6).toFixed(0)} MB, user ${String(user)}`)
  assert.ok(Number(bytes) < MAX_IMAGE_BYTES, `the image has more than ${MAX_IMAGE_BYTES / 1e6} MB`)
  assert.equal(user, '1000:1000')
}

async function checkPrivileges(container: Container, writable: string[]): Promise<void> {
  assert.deepEqual(await container.privileges(), {
    ids: '1000\t1000\t1000\t1000',
    capabilities: '0000000000000000',
    writable
  })
}

async function checkStop(container: Container): Promise<void> {
  const { seconds, exitCode } = await container.stop()
  say(`${container.target}: stopped on SIGTERM after ${seconds.toFixed(1)} s with status ${exitCode}`)
  assert.equal(exitCode, 0)
  assert.ok(seconds < STOP_SECONDS)
  assert.match(await container.log(), /"msg":"stopped"/)
}

async function ask(url: string, body?: object): Promise<{ status: number; text: string }> {
  const reply = await fetch(url, {
    headers: { ...AUTHORIZED, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) })
  })
  return { status: reply.status, text: await reply.text() }
}

/** A unit vector of 384 numbers. */
function assertEmbedding(json: string): void {
  const { encoding }: { encoding: number[] } = JSON.parse(json)
  assert.equal(encoding.length, 384)
  assert.ok(Math.abs(Math.hypot(...encoding) - 1) < 1e-5)
}

/** Calls whose sentences are all different, so that no reply is kept from before. */
async function load(origin: string): Promise<void> {
  let call = 0
  const client = async (): Promise<void> => {
    while (call < LOAD.callCount) {
      call += 1
      const sentences = Array.from(
        { length: LOAD.sentencesPerCall },
        (_, index) => `Sentence ${call} ${'and so on '.repeat(index * 6)}`
      )
      const { status } = await ask(`${origin}/v1/encode/multiple_encode`, { sentences })
      assert.equal(status, 200)
    }
  }
  await Promise.all(Array.from({ length: LOAD.concurrency }, client))
}

async function checkService(): Promise<void> {
  await checkImage('service')
  await using container = await Container.run('service', { API_SECRET_KEY: API_KEY })
  await container.logged('ready')
  await checkPrivileges(container, ['/data'])
  assert.ok(await container.isHealthy())
  const origin = 'http://127.0.0.1:8080'
  const reply = await ask(`${origin}/v1/encode?query=hello%20world`)
  assert.equal(reply.status, 200)
  assertEmbedding(reply.text)
  assert.equal((await fetch(`${origin}/v1/encode?query=hello`)).status, 401)
  await checkPlayground(origin)
  await load(origin)
  const { peakBytes, residentBytes } = await container.memory()
  say(
    `service: ${LOAD.callCount} calls of ${LOAD.sentencesPerCall} sentences, ${LOAD.concurrency} at a time, within ` +
      `${MEMORY_BYTES / 1048576} MB: at most ${megabytes(residentBytes)} MB resident with shared files, ${megabytes(peakBytes)} MB charged by the kernel`
  )
  await checkStop(container)
}

/** The page, and the files that it names. */
async function checkPlayground(origin: string): Promise<void> {
  const page = await (await fetch(`${origin}/playground`)).text()
  const files = [...page.matchAll(/"(\/playground\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  assert.ok(files.length > 0, page)
  for (const path of files) assert.equal((await fetch(origin + path)).status, 200, path)
}

async function checkWorker(): Promise<void> {
  await checkImage('worker')
  await using container = await Container.run('worker', { API_SECRET_KEY: API_KEY, METRICS: 'emf' })
  await container.logged('ready')
  await checkPrivileges(container, ['/data'])
  assert.ok(await container.isHealthy())
  assert.match((await ask('http://127.0.0.1:8081/metrics')).text, /^sbert_jobs_running 0$/m)
  await checkStop(container)
  assert.match(await container.log(), /"JobsWorkers":1/)
}

async function checkLambda(): Promise<void> {
  await checkImage('lambda')
  const api = await RuntimeApi.listen()
  try {
    await using container = await Container.run('lambda', {
      API_SECRET_KEY: 'local-key',
      AWS_LAMBDA_RUNTIME_API: api.address
    })
    await container.logged('ready')
    await checkPrivileges(container, ['/tmp'])
    const event: unknown = JSON.parse(
      await readFile(new URL('../../events/api-gateway-v2-encode.json', import.meta.url), 'utf8')
    )
    const outcome = await api.invoke(event)
    assert(outcome.outcome === 'reply')
    const { statusCode, body }: { statusCode: number; body: string } = JSON.parse(api.lastReply)
    assert.equal(statusCode, 200)
    assertEmbedding(body)
    say('lambda: answered an event of API Gateway through the runtime interface')
    await checkStop(container)
  } finally {
    await api.close()
  }
  await using container = await Container.run('lambda', { API_SECRET_KEY: 'local-key' })
  await container.logged('ready')
  const url = 'http://127.0.0.1:8080/2015-03-31/functions/function/invocations'
  const body = await readFile(new URL('../../events/api-gateway-v2-encode.json', import.meta.url), 'utf8')
  const reply: { statusCode: number; body: string } = JSON.parse(
    await (await fetch(url, { method: 'POST', body })).text()
  )
  assert.equal(reply.statusCode, 200)
  assertEmbedding(reply.body)
  say('lambda: answered the event as a POST where there is no Lambda')
  await checkStop(container)
}

function megabytes(bytes: number): string {
  return (bytes / 1048576).toFixed(0)
}

await checkService()
await checkWorker()
await checkLambda()
