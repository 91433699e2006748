/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/*
 * SQS, DynamoDB and S3 on this machine: ElasticMQ, DynamoDB Local and moto. They are fetched once, by Maven and pip, into
 * .cache/emulators, at the versions that are pinned here and in the pom.xml files beside this one.
 */
const run = promisify(execFile)
const HERE = dirname(fileURLToPath(import.meta.url))
const CACHE = join(HERE, '../../.cache/emulators')
const MOTO_VERSION = '5.2.5'
const READY_WITHIN_MS = 90_000
const JAVA_OPTIONS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx256m']

/** Region and keys that every emulator accepts. */
export const EMULATOR_ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test'
} as const

/** Why the emulators cannot run on this machine, or `undefined` when they can. */
export async function missingTools(): Promise<string | undefined> {
  const checks = [
    ['java', '-version'],
    ['mvn', '--version'],
    ['python3', '--version']
  ] as const
  const found = await Promise.all(
    checks.map(([tool, argument]) =>
      run(tool, [argument]).then(
        () => [],
        () => [tool]
      )
    )
  )
  const missing = found.flat()
  return missing.length === 0 ? undefined : `not on this machine: ${missing.join(', ')}`
}

/** A server that runs until stopped, and can be started again at the same address. */
export class Emulator {
  readonly url: string
  readonly #command: string
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  constructor(port: number, command: string, args: readonly string[]) {
    this.url = `http://127.0.0.1:${port}`
    this.#command = command
    this.#args = args
  }

  /** Starts the server and waits until it answers. */
  async start(): Promise<void> {
    const child = spawn(this.#command, this.#args, {
      stdio: 'ignore',
      env: { ...process.env, ...EMULATOR_ENVIRONMENT }
    })
    this.#process = child
    const deadlineMs = performance.now() + READY_WITHIN_MS
    for (;;) {
      try {
        await (await fetch(this.url)).arrayBuffer()
        return
      } catch (error) {
        if (child.exitCode !== null || performance.now() > deadlineMs) {
          throw new Error(`Cannot start ${this.#command} at ${this.url}`, { cause: error })
        }
        await sleep(50)
      }
    }
  }

  /** Ends the server at once; what it held in memory is gone. */
  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
}

/** The three services. */
export interface Emulators {
  readonly sqs: Emulator
  readonly dynamodb: Emulator
  readonly s3: Emulator
}

/** Installs what is missing, and starts all three on free ports. */
export async function startEmulators(): Promise<Emulators> {
  await mkdir(CACHE, { recursive: true })
  const [elasticmq, dynamodbLocal, moto] = await Promise.all([
    installed('elasticmq', (directory) => copyJars('elasticmq', directory)),
    installed('dynamodb-local', (directory) => copyJars('dynamodb-local', directory)),
    installed(`moto-${MOTO_VERSION}`, installMoto)
  ])
  const [sqsPort, dynamodbPort, s3Port] = await Promise.all([freePort(), freePort(), freePort()])
  const elasticmqArgs = [...elasticmqSettings(sqsPort), '-cp', join(elasticmq, '*'), 'org.elasticmq.server.Main']
  const dynamodbArgs = [
    `-Djava.library.path=${dynamodbLocal}`,
    '-cp',
    join(dynamodbLocal, '*'),
    'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
    '-inMemory',
    '-sharedDb',
    '-disableTelemetry',
    '-port',
    String(dynamodbPort)
  ]
  const emulators = {
    sqs: new Emulator(sqsPort, 'java', [...JAVA_OPTIONS, ...elasticmqArgs]),
    dynamodb: new Emulator(dynamodbPort, 'java', [...JAVA_OPTIONS, ...dynamodbArgs]),
    s3: new Emulator(s3Port, join(moto, 'bin/python'), ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(s3Port)])
  }
  try {
    await Promise.all(Object.values(emulators).map((emulator) => emulator.start()))
  } catch (error) {
    await stopEmulators(emulators)
    throw error
  }
  return emulators
}

/** Ends all three. */
export async function stopEmulators(emulators: Emulators): Promise<void> {
  await Promise.all(Object.values(emulators).map((emulator: Emulator) => emulator.stop()))
}

/**
 * Runs the emulators for the tests of this file; where they cannot run, its tests are skipped with the reason, but in
 * continuous integration they fail.
 * @param name what is tested
 * @param define defines the tests, which take the running emulators by calling `running`
 */
export async function withEmulators(name: string, define: (running: () => Emulators) => void): Promise<void> {
  const reason = await missingTools()
  if (reason !== undefined && process.env['CI'] !== 'true') {
    test(`${name} on AWS`, { skip: reason }, () => undefined)
    return
  }
  Object.assign(process.env, EMULATOR_ENVIRONMENT)
  let emulators: Emulators | undefined
  before(async () => {
    emulators = await startEmulators()
  })
  after(async () => {
    if (emulators !== undefined) await stopEmulators(emulators)
  })
  define(() => {
    assert(emulators !== undefined, 'the emulators have started')
    return emulators
  })
}

/** Makes a directory of the cache by `fill`, unless it is there; a half-filled one is never seen. */
async function installed(name: string, fill: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(CACHE, name)
  try {
    await access(directory)
  } catch {
    const unfinished = await mkdtemp(join(CACHE, 'installing-'))
    await fill(unfinished)
    // Another process may have been quicker.
    await rename(unfinished, directory).catch(() => rm(unfinished, { recursive: true }))
  }
  return directory
}

async function copyJars(name: string, directory: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${directory}`]
  await run('mvn', ['--quiet', '--batch-mode', '--file', join(HERE, name, 'pom.xml'), ...goal])
}

async function installMoto(directory: string): Promise<void> {
  await run('python3', ['-m', 'venv', directory])
  await run(join(directory, 'bin/python'), ['-m', 'pip', 'install', '--quiet', `moto[server]==${MOTO_VERSION}`])
}

/** ElasticMQ's settings, given as properties of the Java machine. */
function elasticmqSettings(port: number): string[] {
  return [
    'node-address.protocol=http',
    'node-address.host=127.0.0.1',
    `node-address.port=${port}`,
    'rest-sqs.bind-hostname=127.0.0.1',
    `rest-sqs.bind-port=${port}`,
    'rest-sqs.sqs-limits=strict',
    'rest-stats.enabled=false',
    `aws.region=${EMULATOR_ENVIRONMENT.AWS_REGION}`
  ].map((setting) => `-D${setting}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port')
  await once(server.close(), 'close')
  return address.port
}
