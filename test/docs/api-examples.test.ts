/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Every example of the API page, sent to the service as a process with the real model, over an empty folder.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { startReadyService } from '../app/service-process.ts'
import { linearModel } from '../onnx/models.ts'
import { examplesOf, operationsOf, type ExampleBody, type OpenApiDocument, type Operation } from './openapi-document.ts'

const ROOT = join(import.meta.dirname, '../..')
const KEY = 'key-of-the-page'
const POLL_MS = 50

/** A running service, and what it has replied so far. */
interface Session {
  readonly origin: string
  /** The last reply of each operation. */
  readonly replies: Map<string, Reply>
}

interface Reply {
  readonly status: number
  readonly type: string
  readonly bytes: Buffer
}

/** What an operation is sent in place of its example, or beside it. */
interface Override {
  readonly params?: Readonly<Record<string, string>>
  readonly body?: { readonly type: string; readonly bytes: string | Uint8Array<ArrayBuffer> }
}

interface Exception {
  /** Why the page alone cannot do it. */
  readonly reason: string
  readonly override: (session: Session) => Promise<Override> | Override
}

/** The id that an operation has replied with. */
const idOf =
  (operation: string) =>
  ({ replies }: Session): Override => ({ params: { id: jsonOf(replies.get(operation)).id } })

const NEW_ID = 'each job has a new id: it is pasted from the reply that told it'
const NO_FILE = 'a file is chosen, which no example can hold'

/** The operations that do not work by the example alone. */
const EXCEPTIONS: Readonly<Record<string, Exception>> = {
  'GET /train/status/{id}': { reason: NEW_ID, override: idOf('POST /train') },
  'GET /v1/classifiers/{classifier}/train/status/{id}': {
    reason: NEW_ID,
    override: idOf('POST /v1/classifiers/{classifier}/train')
  },
  'GET /v1/jobs/{id}': { reason: NEW_ID, override: idOf('POST /v1/jobs') },
  'GET /v1/jobs/{id}/result': { reason: NEW_ID, override: idOf('POST /v1/jobs') },
  'DELETE /v1/jobs/{id}': {
    reason: 'only a job that has not ended can be cancelled: one that waits behind others',
    override: async (session) => {
      const sentences = Array.from({ length: 2000 }, (_, index) => `sentence ${index} of work that takes a while`)
      const body = JSON.stringify({ type: 'encode', input: { sentences } })
      const jobs = []
      for (let count = 0; count < 4; count += 1) jobs.push(await send(session, 'POST', '/v1/jobs', JSON_TYPE, body))
      return { params: { id: jsonOf(jobs.at(-1)).id } }
    }
  },
  'POST /v1/jobs/{id}/redrive': {
    reason: 'only a job that failed can be redriven: the training of a mentor that says nothing',
    override: async (session) => {
      await send(session, 'PUT', '/mentors/silent', JSON_TYPE, '{"answers":[]}')
      const training = jsonOf(await send(session, 'POST', '/train', JSON_TYPE, '{"mentor":"silent"}'))
      assert.equal(await waitUntilEnded(session, training.statusUrl), 'FAILURE')
      return { params: { id: training.id } }
    }
  },
  'POST /mentors/{mentor}/versions': {
    reason: NO_FILE,
    override: async (session) => exportedVersion(session, '/mentors/noor')
  },
  'POST /v1/classifiers/{classifier}/versions': {
    reason: NO_FILE,
    override: async (session) => exportedVersion(session, '/v1/classifiers/sensors')
  },
  'PUT /v1/classifiers/{classifier}/versions': {
    reason: NO_FILE,
    override: async () => {
      const columns = ['a', 'b', 'c'].map((name) => ({ name, type: 'number' }))
      const signature = { features: columns, label: { name: 'state', type: 'number' }, classes: [0, 1] }
      const form = new FormData()
      form.append('model', new Blob([new Uint8Array(linearModel())]), 'model.onnx')
      form.append('signature', new Blob([JSON.stringify(signature)]), 'signature.json')
      const encoded = new Response(form)
      const type = encoded.headers.get('content-type') ?? ''
      return { params: { classifier: 'brought' }, body: { type, bytes: new Uint8Array(await encoded.arrayBuffer()) } }
    }
  }
}

const JSON_TYPE = 'application/json'

// One service answers all three: each start loads the model.
test('the API page', async (t) => {
  const session = await start(t)
  const api = await apiOf(session)
  await t.test('every operation has a summary, a description, a tag, and an example of all that it needs', () =>
    assertExplained(api)
  )
  await t.test('every example works as it stands, in the order of the page', () => assertWorking(session, api))
  await t.test('README’s bodies are its examples', () => assertAsInReadme(api))
})

/** Whoever opens an operation is told what it does, and finds it filled in. */
function assertExplained(api: OpenApiDocument): void {
  assert.equal(api.info.title, 'sbert-service')
  const tags = new Set(api.tags.map(({ name, description }) => (description ? name : undefined)))
  const lacking = operationsOf(api).flatMap((operation) =>
    lacksOf(operation, tags).map((what) => `${operation.name}: ${what}`)
  )
  assert.deepEqual(lacking, [])
  const used = new Set(operationsOf(api).map((operation) => operation.tags?.[0]))
  assert.deepEqual(
    [...used],
    api.tags.map(({ name }) => name),
    'no tag without operations'
  )
}

function lacksOf(operation: Operation, tags: ReadonlySet<string | undefined>): string[] {
  const { summary, description, parameters, bodyTypes, bodies } = operation
  const unexplained = parameters.filter((one) => one.required === true && examplesOf(one).length === 0)
  const isFile = EXCEPTIONS[operation.name]?.reason === NO_FILE
  return [
    ...(summary ? [] : ['summary']),
    ...(description ? [] : ['description']),
    ...(operation.tags?.length === 1 && tags.has(operation.tags[0]) ? [] : ['one described tag']),
    ...unexplained.map(({ name }) => `example of ${name}`),
    ...bodyTypes
      .filter((type) => !isFile && !bodies.some((body) => body.type === type))
      .map((type) => `example of ${type}`)
  ]
}

/** What others need is deleted when they have had it. */
function isLast({ method, path }: Operation): boolean {
  return method === 'DELETE' && !path.startsWith('/v1/jobs')
}

/** Sends every example, in the order of the page. */
async function assertWorking(session: Session, api: OpenApiDocument): Promise<void> {
  const operations = operationsOf(api)
  const unknown = new Set(Object.keys(EXCEPTIONS))
  for (const operation of [...operations.filter((one) => !isLast(one)), ...operations.filter(isLast)]) {
    const exception = EXCEPTIONS[operation.name]
    unknown.delete(operation.name)
    if (exception !== undefined) await assertFailsAlone(session, operation)
    const override = (await exception?.override(session)) ?? {}
    const bodies = override.body === undefined ? sentBodiesOf(operation) : [override.body]
    for (const body of bodies.length === 0 ? [undefined] : bodies) {
      const reply = await send(
        session,
        operation.method,
        addressOf(operation, override),
        body?.type,
        body?.bytes,
        headersOf(operation)
      )
      assertDocumented(operation, reply)
      session.replies.set(operation.name, reply)
      const { statusUrl } = reply.type.startsWith(JSON_TYPE) ? jsonOf(reply) : {}
      // As a person does who looks at a training before asking what it has trained.
      if (statusUrl !== undefined && operation.path.endsWith('/train')) await waitUntilEnded(session, statusUrl)
    }
  }
  assert.deepEqual([...unknown], [], 'exceptions for operations that there are not')
  assert.match(textOf(session.replies.get('GET /questions')), /"answer_id":"intro-home".*"answer_type":"CLASSIFIER"/)
  assert.equal(jsonOf(session.replies.get('GET /train/status/{id}')).status, 'SUCCESS')
}

/** What README shows and what the page fills in are the same requests, and its tables are those of `examples/`. */
async function assertAsInReadme(api: OpenApiDocument): Promise<void> {
  const operations = operationsOf(api)
  const bodies = operations.flatMap((operation) => operation.bodies)
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const typed = [...readme.matchAll(/-d '(\{.*?\})'/gs)].map(([, json = '']): unknown => JSON.parse(json))
  assert.ok(typed.length >= 6)
  const examples = new Set(bodies.map(({ value }) => JSON.stringify(value)))
  assert.deepEqual(
    typed.map((body) => JSON.stringify(body)).filter((body) => !examples.has(body)),
    []
  )
  const questions = operations.find(({ name }) => name === 'GET /questions')
  const query = questions?.parameters.find(({ name }) => name === 'query')
  assert.ok(query !== undefined && readme.includes(`query=${query.example ?? ''}`))
  for (const [operation, file] of [
    ['PUT /mentors/{mentor}', 'mentor.csv'],
    ['POST /v1/classifiers/{classifier}/train', 'sensors.csv']
  ] as const) {
    const lines = new Set((await readFile(join(ROOT, 'examples', file), 'utf8')).split(/\r?\n/))
    const csv = bodiesOf(operations, operation).find(({ type }) => type === 'text/csv')
    const others = String(csv?.value)
      .split('\n')
      .filter((line) => line !== '' && !lines.has(line))
    assert.deepEqual(others, [], file)
  }
}

function bodiesOf(operations: readonly Operation[], name: string): readonly ExampleBody[] {
  return operations.find((operation) => operation.name === name)?.bodies ?? []
}

/** Starts the service over an empty folder; it is ready. */
async function start(t: TestContext): Promise<Session> {
  const { origin } = await startReadyService(t, { API_SECRET_KEY: KEY })
  return { origin, replies: new Map() }
}

async function apiOf({ origin }: Session): Promise<OpenApiDocument> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- redocly lint holds it to the specification
  return (await (await fetch(`${origin}/docs/json`)).json()) as OpenApiDocument
}

/** Examples of all media types: what the page sends by default comes last, and stays. */
function sentBodiesOf({ bodies, bodyTypes }: Operation): { type: string; bytes: string }[] {
  return bodyTypes
    .toReversed()
    .flatMap((type) =>
      bodies
        .filter((body) => body.type === type)
        .map(({ value }) => ({ type, bytes: typeof value === 'string' ? value : JSON.stringify(value) }))
    )
}

/** The address as the page fills it in: with every parameter that has an example. */
function addressOf({ path, parameters }: Operation, { params = {} }: Override): string {
  const query = new URLSearchParams()
  let address = path
  for (const parameter of parameters) {
    const value = params[parameter.name] ?? examplesOf(parameter)[0]
    if (value === undefined) continue
    if (parameter.in === 'path') address = address.replace(`{${parameter.name}}`, encodeURIComponent(value))
    if (parameter.in === 'query') query.set(parameter.name, value)
  }
  return query.size === 0 ? address : `${address}?${query.toString()}`
}

function headersOf({ parameters }: Operation): Record<string, string> {
  const sent = parameters.filter((parameter) => parameter.in === 'header' && examplesOf(parameter).length > 0)
  return Object.fromEntries(sent.map((parameter) => [parameter.name, examplesOf(parameter)[0] ?? '']))
}

async function send(
  { origin }: Session,
  method: string,
  address: string,
  type?: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {}
): Promise<Reply> {
  const reply = await fetch(origin + address, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(type !== undefined && { 'content-type': type }), ...headers },
    ...(body !== undefined && { body })
  })
  const bytes = Buffer.from(await reply.arrayBuffer())
  return { status: reply.status, type: reply.headers.get('content-type') ?? '', bytes }
}

/** An exception that works after all is none. */
async function assertFailsAlone(session: Session, operation: Operation): Promise<void> {
  const [body] = sentBodiesOf(operation)
  const { status } = await send(session, operation.method, addressOf(operation, {}), body?.type, body?.bytes)
  assert.ok(status >= 400 && status < 500, `${operation.name} answers ${status} by its example alone`)
}

/** The reply is a success, of a status and a type that the document has. */
function assertDocumented({ name, responses }: Operation, reply: Reply): void {
  const told = `${name}: ${reply.status} ${textOf(reply).slice(0, 500)}`
  assert.ok(reply.status >= 200 && reply.status < 300, told)
  const documented = responses[reply.status]
  assert.ok(documented !== undefined, `${told} is not documented`)
  const types = Object.keys(documented.content ?? {})
  const type = reply.type.split(';')[0] ?? ''
  if (reply.bytes.length > 0) assert.ok(types.includes(type), `${name}: ${type} is none of ${types.join(', ')}`)
}

interface TrainingReply {
  readonly id: string
  readonly statusUrl: string
  readonly status: string
}

/** The reply, or what it has as `data`. */
function jsonOf(reply: Reply | undefined): TrainingReply {
  const json: TrainingReply & { data?: TrainingReply } = JSON.parse(textOf(reply))
  return json.data ?? json
}

function textOf(reply: Reply | undefined): string {
  return reply?.bytes.toString() ?? ''
}

async function waitUntilEnded(session: Session, statusUrl: string): Promise<string> {
  for (;;) {
    const { status } = jsonOf(await send(session, 'GET', statusUrl))
    if (status !== 'QUEUED' && status !== 'IN_PROGRESS') return status
    await pause(POLL_MS)
  }
}

/** The live version of a model as a file. */
async function exportedVersion(session: Session, model: string): Promise<Override> {
  const { bytes } = await send(session, 'GET', `${model}/versions/live/export`)
  return { body: { type: 'application/octet-stream', bytes: new Uint8Array(bytes) } }
}
