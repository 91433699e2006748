/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What terraform/ says of the program, held against the program itself. No Terraform is run: that is tools/check-terraform.sh.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import { SETTINGS } from '../../src/config/settings.ts'
import catalogue from '../../src/server/emf-metrics.json' with { type: 'json' }
import awsMetrics from './aws-metrics.json' with { type: 'json' }

const TERRAFORM = new URL('../../terraform/', import.meta.url)
const PLATFORM = new URL('../../src/platform/', import.meta.url)
const OWN_NAMESPACE = 'sbert-service'

function read(name: string): Promise<string> {
  return readFile(new URL(name, TERRAFORM), 'utf8')
}

/** Metrics that AWS documents, by namespace, and our own with the dimensions they are written with. */
async function existingMetrics(): Promise<Map<string, readonly string[] | undefined>> {
  const metrics = new Map<string, readonly string[] | undefined>()
  for (const [namespace, { names }] of Object.entries(awsMetrics)) {
    for (const name of names) metrics.set(`${namespace} ${name}`, undefined)
  }
  for (const { name, dimensions } of catalogue.metrics) metrics.set(`${OWN_NAMESPACE} ${name}`, dimensions)
  for (const { Name } of (await runCanary({})).metrics) metrics.set(`${OWN_NAMESPACE} ${Name}`, ['Stage'])
  return metrics
}

interface CanaryRun {
  readonly line: Record<string, unknown>
  readonly metrics: readonly { Name: string }[]
  readonly asked: readonly (readonly [url: string, authorization: string | undefined])[]
}

/** Runs the canary's very code. @param change how the service behaves */
async function runCanary(change: {
  readonly reply?: () => Promise<Response> | Response
  readonly strangerStatus?: number
}): Promise<CanaryRun> {
  const source = await read('canary/canary.cjs')
  class SecretsManagerClient {
    async send(command: { input: { SecretId: string } }): Promise<{ SecretString: string }> {
      assert.equal(command.input.SecretId, 'arn:secret')
      return { SecretString: 'key-1, key-2' }
    }
  }
  class GetSecretValueCommand {
    readonly input: unknown
    constructor(input: unknown) {
      this.input = input
    }
  }
  const lines: string[] = []
  const asked: [string, string | undefined][] = []
  const embedding = Array.from({ length: 384 }, () => 1 / Math.sqrt(384))
  const { reply = () => Response.json({ encoding: embedding }), strangerStatus = 401 } = change
  const context = createContext({
    exports: {},
    require: (name: string) => {
      assert.equal(name, '@aws-sdk/client-secrets-manager')
      return { SecretsManagerClient, GetSecretValueCommand }
    },
    process: { env: { SERVICE_URL: 'https://service.example', SECRET_ARN: 'arn:secret', STAGE: 'test' } },
    console: { log: (line: string) => lines.push(line) },
    AbortSignal,
    fetch: async (url: string, { headers }: { headers?: { authorization: string } }) => {
      asked.push([url, headers?.authorization])
      return headers === undefined ? new Response('', { status: strangerStatus }) : reply()
    }
  })
  runInContext(source, context)
  await runInContext('exports.handler()', context)
  const line = JSON.parse(lines[0] ?? '')
  return { line, metrics: line['_aws'].CloudWatchMetrics[0].Metrics, asked }
}

test('the canary asks with the first key, and reports success in a line of EMF', async () => {
  const { line, asked } = await runCanary({})
  assert.equal(line['CanarySuccess'], 1)
  assert.equal(line['Stage'], 'test')
  assert.deepEqual(
    asked.map(([url, authorization]) => [
      url.startsWith('https://service.example/v1/encode?query=canary'),
      authorization
    ]),
    [
      [true, 'Bearer key-1'],
      [true, undefined]
    ]
  )
  assert.doesNotMatch(JSON.stringify(line), /key-1/)
})

test('the canary reports what fails: status, numbers, a stranger let in, no answer', async () => {
  const failures = [
    { reply: () => new Response('', { status: 503 }) },
    { reply: () => Response.json({ encoding: [1, 0] }) },
    { reply: () => Response.json({}) },
    { strangerStatus: 200 },
    { reply: () => Promise.reject(new TypeError('fetch failed')) }
  ]
  for (const failure of failures) {
    const { line } = await runCanary(failure)
    assert.equal(line['CanarySuccess'], 0)
    assert.equal(typeof line['problem'], 'string')
  }
})

test('the dashboard names only metrics that exist, with the dimensions they have', async () => {
  const metrics = await existingMetrics()
  const dashboard: unknown = JSON.parse(await read('dashboard.json'))
  assert(
    typeof dashboard === 'object' && dashboard !== null && 'widgets' in dashboard && Array.isArray(dashboard.widgets)
  )
  let count = 0
  for (const { properties } of dashboard.widgets) {
    for (const [namespace, name, ...rest] of properties.metrics ?? []) {
      const known = `${namespace} ${name}`
      assert(metrics.has(known), `${known} does not exist`)
      const dimensions = metrics.get(known)
      const named = rest.filter((part: unknown, index: number) => typeof part === 'string' && index % 2 === 0)
      if (dimensions !== undefined) assert.deepEqual(named, dimensions, known)
      count += 1
    }
  }
  assert(count > 40)
})

test('the dashboard shows what the service says of texts, answers and backlog', async () => {
  const dashboard = await read('dashboard.json')
  for (const name of ['input.num_chars', 'JobsBacklogPerWorker', 'ModelConfidence', 'OffTopicShare']) {
    assert(dashboard.includes(`"${name}"`), name)
  }
})

test('alarms and scaling name only metrics that exist', async () => {
  const metrics = await existingMetrics()
  const files = await Promise.all(['alarms.tf', 'scaling.tf', 'modules/edge/alarms.tf'].map((name) => read(name)))
  const found = files.join('\n').matchAll(/namespace\s*= "([^"]+)",\s*metric\s*= "([^"]+)"/g)
  const named = [...found].map(([, namespace, name]) => `${namespace} ${name}`)
  assert(named.length > 25)
  for (const name of named) assert(metrics.has(name), `${name} does not exist`)
})

test('roles may do each thing that the program asks of AWS', async () => {
  const names = (await readdir(PLATFORM)).filter((name) => name.endsWith('.ts'))
  const sources = await Promise.all(names.map((name) => readFile(new URL(name, PLATFORM), 'utf8')))
  const commands = new Set([...sources.join('\n').matchAll(/\bnew (\w+)Command\(/g)].map(([, name = '']) => name))
  // What an action is called where it is not as the command is: a transaction is made of puts and updates.
  const actionsOf: Readonly<Record<string, readonly string[]>> = {
    TransactWrite: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'],
    Get: ['dynamodb:GetItem'],
    Put: ['dynamodb:PutItem'],
    Update: ['dynamodb:UpdateItem'],
    Delete: ['dynamodb:DeleteItem'],
    Query: ['dynamodb:Query'],
    GetObject: ['s3:GetObject', 's3:ListBucket'],
    PutObject: ['s3:PutObject'],
    DeleteObject: ['s3:DeleteObject'],
    SendMessage: ['sqs:SendMessage'],
    ReceiveMessage: ['sqs:ReceiveMessage'],
    DeleteMessage: ['sqs:DeleteMessage'],
    ChangeMessageVisibility: ['sqs:ChangeMessageVisibility'],
    GetQueueAttributes: ['sqs:GetQueueAttributes'],
    GetSecretValue: ['secretsmanager:GetSecretValue']
  }
  const access = await read('access.tf')
  const granted = new Set(
    access.match(/"(?:dynamodb|s3|secretsmanager|sqs):\w+"/g)?.map((action) => action.slice(1, -1))
  )
  const asked = [...commands].flatMap((command) => {
    const actions = actionsOf[command]
    assert(actions !== undefined, `${command}: which action of IAM is it?`)
    return actions
  })
  for (const action of asked) assert(granted.has(action), `${action} is asked for and not granted`)
})

test('stages set only settings that the service has', async () => {
  const files = await Promise.all(['main.tf', 'web.tf', 'worker.tf'].map((name) => read(name)))
  const [main = '', web = '', worker = ''] = files
  const common = /settings = merge\(\{(.*?)\}, var\.settings\)/s.exec(main)?.[1] ?? ''
  const names = [
    ...common.matchAll(/^\s*([A-Z_]+)\s*=/gm),
    ...web.matchAll(/merge\(\{ ([A-Z_]+) =/g),
    ...worker.matchAll(/([A-Z_]+)\s*= (?:"127|tostring\(local\.worker)/g)
  ].map(([, name = '']) => name)
  assert(names.length > 10 && names.includes('SHUTDOWN_DEADLINE_SECONDS'))
  // The SDK reads AWS_REGION itself.
  const known = new Set<string>([...Object.keys(SETTINGS), 'AWS_REGION'])
  for (const name of new Set(names)) assert(known.has(name), `${name} is no setting`)
})

test('who waits for the service waits longer the farther away it is, so that the nearest answers, in JSON', async () => {
  const nginx = await readFile(new URL('../ebs/.platform/nginx/conf.d/service.conf', TERRAFORM), 'utf8')
  const edge = await read('modules/edge/main.tf')
  const seconds = [
    /proxy_read_timeout (\d+)s;/.exec(nginx),
    /IdleTimeout\s*= "(\d+)"/.exec(await read('web.tf')),
    /origin_read_timeout\s*= (\d+)/.exec(edge)
  ].map((match) => Number(match?.[1]))
  const [near = 0, balancer = 0, far = 0] = seconds
  assert(0 < near && near < balancer && balancer < far, seconds.join(' < '))
})

test('every stack is locked to the same provider, for all platforms that its maker publishes', async () => {
  const [stage = '', ...others] = await Promise.all(
    // A root that modules say more of has more constraints.
    ['', 'account/', 'endpoints/'].map(async (stack) =>
      (await read(`${stack}.terraform.lock.hcl`)).replace(/^ {2}constraints .*\n/m, '')
    )
  )
  for (const other of others) assert.equal(other, stage)
  // One archive a platform.
  assert((stage.match(/^ {4}"zh:[0-9a-f]{64}",$/gm)?.length ?? 0) >= 14)
})

test('var.settings refuses every setting that is a secret', async () => {
  const [, list = ''] = /keys\(var\.settings\), \[([^\]]+)\]/.exec(await read('variables.tf')) ?? []
  const refused = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name ?? '')
  const secrets = Object.entries(SETTINGS).flatMap(([name, { isSecret }]) => (isSecret ? [name] : []))
  // A path by itself; on AWS it names a secret.
  assert.deepEqual(refused, [...secrets, 'API_KEYS_FILE'].toSorted())
})
