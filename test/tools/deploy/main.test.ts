/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { API_KEY } from '../../server/test-app.ts'
import { startService } from '../../app/service-process.ts'
import type { AccountState } from './aws-stand-in.ts'

const MAIN = fileURLToPath(new URL('../../../tools/deploy/main.ts', import.meta.url))
const STAND_IN = fileURLToPath(new URL('aws-stand-in.ts', import.meta.url))
const SERVICE = fileURLToPath(new URL('../../app/service-stand-in.ts', import.meta.url))
const REPOSITORY = '123456789012.dkr.ecr.us-east-1.amazonaws.com/sbert-service'
const WORKER_IMAGE = `${REPOSITORY}@sha256:${'b'.repeat(64)}`
const VERSION = [
  '--label',
  'new',
  '--service-image',
  `${REPOSITORY}@sha256:${'a'.repeat(64)}`,
  '--worker-image',
  WORKER_IMAGE
]

/** An account in which version old runs. Terraform has given the workers a secret since. */
function account(change: Partial<AccountState> = {}): AccountState {
  const container = {
    name: 'worker',
    image: `${REPOSITORY}@sha256:${'0'.repeat(64)}`,
    secrets: [{ name: 'API_SECRET_KEY' }]
  }
  const task = {
    family: 'sbert-service-dev-worker',
    taskDefinitionArn: 'worker:1',
    status: 'ACTIVE',
    containerDefinitions: [container]
  }
  const added = { ...container, secrets: [...container.secrets, { name: 'SENTRY_DSN' }] }
  return {
    calls: [],
    parameters: {},
    tasks: [task, { ...task, taskDefinitionArn: 'worker:2', containerDefinitions: [added] }],
    tags: {},
    pairs: [{ Key: 'revision', Value: 'r-old' }],
    eTag: 1,
    service: { task: 'worker:1', before: 'worker:1', looksLeft: 0, isPutBack: false },
    environment: { label: 'old', before: 'old', looksLeft: 0 },
    lambda: { images: ['old'], live: '1', looksLeft: 0 },
    ...change
  }
}

/** A stage whose callers are answered by a real service. */
async function openStage(t: TestContext, state: AccountState, hasService = true) {
  const folder = await mkdtemp(join(tmpdir(), 'deploy-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'state.json')
  await writeFile(file, JSON.stringify(state))
  // Without its types, since it is started dozens of times.
  await writeFile(join(folder, 'aws.mjs'), stripTypeScriptTypes(await readFile(STAND_IN, 'utf8')))
  await writeFile(join(folder, 'aws'), `#!/bin/sh\nexec '${process.execPath}' '${folder}/aws.mjs' "$@"\n`, {
    mode: 0o755
  })
  // A deployment that fails before it asks the service needs none.
  const { address } = hasService
    ? await startService(t, SERVICE, { API_SECRET_KEY: API_KEY }).logged('listening')
    : { address: 'http://127.0.0.1:1' }
  const env = { PATH: `${folder}${delimiter}${process.env['PATH']}`, AWS_STAND_IN: file, API_KEY, DEPLOY_PAUSE_MS: '1' }
  const start = (args: readonly string[], change = {}): ChildProcess =>
    execFile(process.execPath, [MAIN, '--stage', 'dev', '--url', String(address), '--store', 'arn:store', ...args], {
      env: { ...env, ...change }
    })
  const read = async (): Promise<AccountState> => JSON.parse(await readFile(file, 'utf8'))
  return { start, read, run: (args: readonly string[]) => ended(start(args)) }
}

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string }> {
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: string) => (out += text))
  await once(child, 'close')
  return { code: child.exitCode, out }
}

function revisionIn({ pairs }: AccountState): string | undefined {
  return pairs.find(({ Key }) => Key === 'revision')?.Value
}

test('deploy: Terraform’s newest task definition with the new image, the new version, its revision at the edge', async (t) => {
  const stage = await openStage(t, account())
  const { code, out } = await stage.run(VERSION)
  assert.equal(code, 0, out)
  const state = await stage.read()
  assert.deepEqual([state.environment.label, state.service.task], ['new', 'worker:3'])
  const [container] = Object.values(state.tasks[2]?.['containerDefinitions'] ?? {})
  assert.deepEqual(container, {
    name: 'worker',
    image: WORKER_IMAGE,
    secrets: [{ name: 'API_SECRET_KEY' }, { name: 'SENTRY_DSN' }]
  })
  assert.equal(state.tasks[2]?.['status'], undefined, 'what AWS adds is not sent back')
  assert.notEqual(revisionIn(state), 'r-old')
  assert.deepEqual(Object.keys(state.tags), ['deployed-dev-new-service', 'deployed-dev-new-worker'])
  assert.match(out, /The stage keeps its promises/)
})

test('deploy: workers that ECS puts back are an error, and all of the stage goes back', async (t) => {
  const stage = await openStage(t, account({ broken: 'workers' }), false)
  const { code, out } = await stage.run(VERSION)
  assert.equal(code, 1)
  assert.match(out, /ECS put other workers back: worker:1/)
  const state = await stage.read()
  assert.deepEqual([state.environment.label, state.service.task, revisionIn(state)], ['old', 'worker:1', 'r-old'])
})

test('deploy: a web tier that Elastic Beanstalk puts back takes the workers and the revision along', async (t) => {
  const stage = await openStage(t, account({ broken: 'web' }), false)
  const { code, out } = await stage.run(VERSION)
  assert.equal(code, 1)
  assert.match(out, /Elastic Beanstalk put another version back: old/)
  const state = await stage.read()
  assert.deepEqual([state.environment.label, state.service.task, revisionIn(state)], ['old', 'worker:1', 'r-old'])
})

test('deploy: killed in the middle, the same command goes on; --rollback then takes it back', async (t) => {
  const stage = await openStage(t, account())
  const child = stage.start(VERSION)
  while (!(await stage.read().catch(() => account())).calls.includes('elasticbeanstalk update-environment')) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  child.kill('SIGKILL')
  await once(child, 'close')
  const { code, out } = await stage.run(VERSION)
  assert.equal(code, 0, out)
  assert.match(out, /A deployment of new had not ended: old is what is gone back to/)
  assert.equal((await stage.read()).tasks.length, 3)
  assert.equal((await stage.run(['--rollback'])).code, 0)
  const state = await stage.read()
  assert.deepEqual([state.environment.label, state.service.task, revisionIn(state)], ['old', 'worker:1', 'r-old'])
})

const FUNCTION_IMAGE = `${REPOSITORY}@sha256:${'c'.repeat(64)}`

test('deploy: the function comes in with the others, and goes back with them', async (t) => {
  const stage = await openStage(t, account())
  const { code, out } = await stage.run([...VERSION, '--function-image', FUNCTION_IMAGE])
  assert.equal(code, 0, out)
  const { lambda, tags } = await stage.read()
  assert.deepEqual([lambda.live, lambda.images], ['2', ['old', FUNCTION_IMAGE]])
  assert('deployed-dev-new-function' in tags, 'its image does not expire')
  assert.equal((await stage.run(['--rollback'])).code, 0)
  assert.equal((await stage.read()).lambda.live, '1')
})

test('deploy: a function that does not start is never reached, and all of the stage goes back', async (t) => {
  const stage = await openStage(t, account({ broken: 'function' }), false)
  const { code, out } = await stage.run([...VERSION, '--function-image', FUNCTION_IMAGE])
  assert.equal(code, 1)
  assert.match(out, /version 2 of the function does not answer: .*Cannot read the secret of API_SECRET_KEY/)
  const state = await stage.read()
  assert.deepEqual(
    [state.lambda.live, state.environment.label, state.service.task, revisionIn(state)],
    ['1', 'old', 'worker:1', 'r-old']
  )
})

test('deploy: an image that is not named by its digest is refused before anything runs', async (t) => {
  const stage = await openStage(t, account(), false)
  const { code, out } = await stage.run([
    ...VERSION.slice(0, 4),
    '--worker-image',
    'sbert-service:latest',
    '--service-image',
    'x:latest'
  ])
  assert.equal(code, 2)
  assert.match(out, /want each image as <registry>\/<repository>@sha256:<64 hex digits>, not "x:latest"/)
  assert.deepEqual((await stage.read()).calls, [])
})

test('deploy: without a stage or a version it says how it is used', async (t) => {
  const stage = await openStage(t, account(), false)
  const { code, out } = await stage.run([])
  assert.equal(code, 2)
  assert.match(out, /^Usage: npm run deploy/)
})
