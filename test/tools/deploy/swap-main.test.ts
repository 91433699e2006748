/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startService } from '../../app/service-process.ts'
import { temporaryFolder } from '../../server/mentor-app.ts'
import { API_KEY } from '../../server/test-app.ts'
import type { BeanstalkState } from './beanstalk-stand-in.ts'

const MAIN = fileURLToPath(new URL('../../../tools/deploy/swap-main.ts', import.meta.url))
const STAND_IN = fileURLToPath(new URL('beanstalk-stand-in.ts', import.meta.url))
const SERVICE = fileURLToPath(new URL('../../app/service-stand-in.ts', import.meta.url))
const CNAME = 'sbert.us-east-1.elasticbeanstalk.com'

/** One environment with the version old; a clone of it is a real service. */
async function openBeanstalk(t: TestContext, hasService = true, tags: string[] = []) {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'state.json')
  const environments = [{ id: 'e-1', name: 'sbert', label: 'old', cname: CNAME, looksLeft: 0, tags }]
  const before: BeanstalkState = { calls: [], templates: [], environments }
  await writeFile(file, JSON.stringify(before))
  await writeFile(join(folder, 'aws.mjs'), stripTypeScriptTypes(await readFile(STAND_IN, 'utf8')))
  const script = `#!/bin/sh\nexec '${process.execPath}' '${folder}/aws.mjs' "$@"\n`
  await writeFile(join(folder, 'aws'), script, { mode: 0o755 })
  const { address } = hasService
    ? await startService(t, SERVICE, { API_SECRET_KEY: API_KEY }).logged('listening')
    : { address: 'http://127.0.0.1:1' }
  const env = {
    PATH: `${folder}${delimiter}${process.env['PATH']}`,
    AWS_STAND_IN: file,
    NEXT_CNAME: String(address).replace('http://', ''),
    API_KEY,
    DEPLOY_PAUSE_MS: '1'
  }
  const start = (...args: string[]): ChildProcess =>
    execFile(process.execPath, [MAIN, '--cname', CNAME, ...args], { env })
  const read = async (): Promise<BeanstalkState> => JSON.parse(await readFile(file, 'utf8'))
  return { start, read, run: (...args: string[]) => ended(start(...args)) }
}

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string }> {
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: string) => (out += text))
  await once(child, 'close')
  return { code: child.exitCode, out }
}

function liveLabelOf({ environments }: BeanstalkState): string | undefined {
  return environments.find(({ cname }) => cname === CNAME)?.label
}

test('swap: killed while the clone starts, the same command goes on; --back gives the name back, --finish ends the clone', async (t) => {
  const beanstalk = await openBeanstalk(t)
  const child = beanstalk.start('--label', 'new')
  while (!(await beanstalk.read().catch(() => undefined))?.calls.includes('create-environment'))
    await new Promise((resolve) => setTimeout(resolve, 10))
  child.kill('SIGKILL')
  await once(child, 'close')
  const { code, out } = await beanstalk.run('--label', 'new')
  assert.equal(code, 0, out)
  const swapped = await beanstalk.read()
  assert.deepEqual([liveLabelOf(swapped), swapped.environments.length], ['new', 2])
  assert.equal((await beanstalk.run('--label', 'old', '--back')).code, 0)
  assert.equal(liveLabelOf(await beanstalk.read()), 'old')
  assert.equal((await beanstalk.run('--label', 'new', '--finish')).code, 0)
  const finished = await beanstalk.read()
  assert.deepEqual(
    finished.environments.map(({ name }) => name),
    ['sbert']
  )
})

test('swap: a clone that does not answer gets no caller', async (t) => {
  const beanstalk = await openBeanstalk(t, false)
  const { code, out } = await beanstalk.run('--label', 'new')
  assert.equal(code, 1)
  assert.match(out, /sbert-new does not answer/)
  const state = await beanstalk.read()
  assert.equal(liveLabelOf(state), 'old')
  assert(!state.calls.includes('swap-environment-cnames'))
})

test('swap: an environment of Terraform is refused, and without a key nothing is asked', async (t) => {
  const beanstalk = await openBeanstalk(t, false, ['terraform'])
  const { code, out } = await beanstalk.run('--label', 'new')
  assert.equal(code, 1)
  assert.match(out, /npm run deploy brings a version in/)
  assert.equal((await beanstalk.run()).code, 2)
})
