/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { startService } from '../../test/app/service-process.ts'
import { EXCEPTIONS, exceptionOf, type NamedException } from './exceptions.ts'
import { readReport, type Failure } from './failures.ts'

/*
 * Lets Schemathesis generate requests from the OpenAPI document, and holds every reply to it, with all its checks.
 *   make test-schema        npm run test-schema -- [--seed 1] [--examples 10] [--within seconds] [--only 'GET /v1/encode']
 * It fails on whatever is not in exceptions.ts. Requests and replies are in .cache/test-schema/*.ndjson afterwards.
 */
const ROOT = join(import.meta.dirname, '../..')
const CACHE = join(ROOT, '.cache/test-schema')
const SCHEMATHESIS = '4.32.5'
const KEY = 'key-of-the-schema-test'
/** Small limits do not change the promises, and make requests at the limits quick to generate and answer. */
const SMALL_LIMITS = { MAX_TEXT_CHARACTERS: '400', MAX_SENTENCES: '32', ENCODE_WORKERS: '1' }
const run = promisify(execFile)

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    examples: { type: 'string', default: '10' },
    within: { type: 'string', default: '600' },
    only: { type: 'string' }
  }
})

const program = await installed()
const ends: (() => Promise<void>)[] = []
const named = new Map<NamedException, number>()
let unnamed: readonly Failure[] = []
let errors: readonly string[] = []
let untested: readonly string[] = []
let caseCount = 0
try {
  const origin = await started()
  const operations = await operationsAt(origin)
  for (const phases of [['examples', 'coverage', 'fuzzing'], ['stateful']]) {
    await seed(origin)
    const found = await readReport(await tested(origin, phases))
    caseCount += found.caseCount
    errors = [...errors, ...found.errors]
    for (const failure of found.failures) {
      const exception = exceptionOf(failure)
      if (exception === undefined) unnamed = [...unnamed, failure]
      else named.set(exception, (named.get(exception) ?? 0) + 1)
    }
    if (phases.includes('coverage')) {
      const covered = found.tested.get('coverage') ?? new Set()
      untested = operations.filter((operation) => !covered.has(operation))
    }
  }
} finally {
  for (const end of ends.toReversed()) await end()
}
report()

/** The program of Schemathesis, in a virtual environment of its own. */
async function installed(): Promise<string> {
  const folder = join(CACHE, `schemathesis-${SCHEMATHESIS}`)
  const st = join(folder, 'bin/st')
  if (existsSync(st)) return st
  process.stdout.write(`Installing Schemathesis ${SCHEMATHESIS}\n`)
  await mkdir(CACHE, { recursive: true })
  await run('python3', ['-m', 'venv', folder])
  const pip = [`-m`, 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${SCHEMATHESIS}`]
  await run(join(folder, 'bin/python'), pip)
  return st
}

/** Starts the service with nothing in it. @returns its address */
async function started(): Promise<string> {
  const modelDir = process.env['MODEL_DIR'] ?? join(ROOT, 'models/all-MiniLM-L6-v2/compiled')
  const env = {
    API_SECRET_KEY: KEY,
    MODEL_DIR: modelDir,
    WEBHOOK_SECRET: 'a-secret-of-the-schema-test',
    ...SMALL_LIMITS
  }
  const lifetime = { after: (end: () => Promise<void>) => void ends.push(end) }
  const service = startService(lifetime, join(ROOT, 'src/bin/service.ts'), env)
  const ended = service.exited.then(() => {
    throw new Error(`The service ended: ${service.stderr.join('\n')}`)
  })
  const ready = service.logged('ready')
  await Promise.race([ready, ended])
  ended.catch(() => undefined)
  return String((await service.logged('listening'))['address'])
}

/** Creates the data for requests: a trained mentor, a trained classifier, a finished job. */
async function seed(origin: string): Promise<void> {
  const ask = async (method: string, path: string, type = '', body?: string) => {
    const headers = { authorization: `Bearer ${KEY}`, ...(type !== '' && { 'content-type': type }) }
    const reply = await fetch(origin + path, { method, headers, ...(body !== undefined && { body }) })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`Cannot prepare: ${method} ${path}: ${reply.status} ${text}`)
    return text
  }
  const trained = async (accepted: string) => {
    const { data }: { data: { statusUrl: string } } = JSON.parse(accepted)
    for (;;) {
      const text = await ask('GET', data.statusUrl)
      if (text.includes('"status":"SUCCESS"')) return
      if (text.includes('"status":"FAILURE"')) throw new Error(`Cannot prepare: ${text}`)
      await sleep(100)
    }
  }
  await ask('PUT', '/mentors/noor', 'text/csv', await exampleOf('mentor.csv'))
  await trained(await ask('POST', '/train', 'application/json', '{"mentor":"noor","force":true}'))
  const table = await exampleOf('sensors.csv')
  await trained(await ask('POST', '/v1/classifiers/sensors/train?force=true', 'text/csv', table))
  await ask('POST', '/v1/jobs', 'application/json', '{"type":"encode","input":{"sentences":["hello world"]}}')
}

async function exampleOf(file: string): Promise<string> {
  return readFile(join(ROOT, 'examples', file), 'utf8')
}

async function operationsAt(origin: string): Promise<string[]> {
  const reply = await fetch(`${origin}/docs/json`)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test holds it to the specification
  const { paths } = (await reply.json()) as { paths: Record<string, Record<string, unknown>> }
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
  )
  return values.only === undefined ? all : all.filter((operation) => operation === values.only)
}

/** Runs Schemathesis. @returns the file of its report */
async function tested(origin: string, phases: readonly string[]): Promise<string> {
  const file = join(CACHE, `${phases.at(-1)}.ndjson`)
  const only = values.only === undefined ? [] : ['--include-name', values.only]
  const told = [
    '--checks',
    'all',
    '--phases',
    phases.join(','),
    '--seed',
    values.seed,
    '--max-examples',
    values.examples
  ]
  const reported = ['--report', 'ndjson', '--report-ndjson-path', file, '--no-color']
  const address = [`${origin}/docs/json`, '--header', `Authorization: Bearer ${KEY}`]
  const config = join(import.meta.dirname, 'schemathesis.toml')
  // Its failures are printed below, without the named exceptions.
  const child = spawn(program, ['--config-file', config, 'run', ...address, ...told, ...reported, ...only], {
    cwd: CACHE,
    env: { ...process.env, SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'hooks.py') },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  child.stdout.resume()
  const timer = setTimeout(() => child.kill('SIGTERM'), Number(values.within) * 1000)
  await once(child, 'close')
  clearTimeout(timer)
  return file
}

function report(): void {
  const groups = Object.values(
    Object.groupBy(unnamed, ({ operation, check, reply }) => `${operation} ${check} ${reply.slice(0, 4)}`)
  )
  for (const [failure, ...others] of groups.map((all = []) => all)) {
    if (failure === undefined) continue
    const { operation, check, message, reply, phase, request } = failure
    const more = others.length > 0 ? `, and ${others.length} more` : ''
    process.stdout.write(`FAILED ${operation}: ${check} (${phase}${more})\n  ${message.slice(0, 500)}\n`)
    process.stdout.write(`  > ${request}\n  < ${reply.slice(0, 400)}\n`)
  }
  for (const error of errors) process.stdout.write(`ERROR ${error}\n`)
  for (const operation of untested) process.stdout.write(`NOT TESTED ${operation}\n`)
  for (const [{ operation, check, reason }, count] of named)
    process.stdout.write(`excepted ${operation}, ${check}, ${count} times: ${reason}\n`)
  const unused = EXCEPTIONS.filter((exception) => !named.has(exception)).length
  process.stdout.write(
    `${caseCount} requests from seed ${values.seed}: ${unnamed.length} failures, ${errors.length} errors, ${untested.length} operations not ` +
      `tested; of ${EXCEPTIONS.length} exceptions ${unused} did not occur\n`
  )
  process.exitCode = unnamed.length + errors.length + untested.length === 0 && caseCount > 0 ? 0 : 1
}
