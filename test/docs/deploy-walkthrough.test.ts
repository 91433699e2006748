/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// docs/deploy.md as somebody types it: all its commands in the order of the page, in one shell, from a clone. Programs of ours run as they are, against
// a service; terraform, docker, gh and the AWS CLI are stand-ins that refuse what does not exist. Terraform itself runs in make test-terraform.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink, writeFile, stat } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { startService } from '../app/service-process.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const KEY = 'walkthrough-key-of-thirty-or-more-characters'

/** What the page leaves to its reader. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/<owner>\/<repository>/g, 'example/sbert-service'],
  [/<image>@sha256:<digest>/g, `123456789012.dkr.ecr.us-east-1.amazonaws.com/sbert-service@sha256:${'a'.repeat(64)}`],
  [/<version>/g, 'new'],
  [/<vpc>/g, 'vpc-1'],
  [/<table>/g, 'rtb-1']
]

/** What the commands read and do not write. */
const SHARED =
  'Makefile Dockerfile package.json package-lock.json .npmrc node_modules models src tools edge ebs web'.split(' ')

/** The blocks of a page, each as it would be pasted. */
function blocksOf(page: string): string[] {
  return [...page.matchAll(/^( *)```sh\n(.*?)^\1```$/gms)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
  )
}

/** Not what someone has initialised in the repository. */
function isOurs(path: string): boolean {
  return !/\.terraform(?:$|\/)/.test(path)
}

async function timeOf(path: string): Promise<number> {
  return (await stat(join(ROOT, path))).mtimeMs
}

/** Whether make would find everything installed: the clone has the same packages by a link, which it must not replace. */
async function isInstalled(): Promise<boolean> {
  const sources = ['package-lock.json', '.npmrc', 'tools/node/package.json', 'web/package.json']
  const installedMs = await timeOf('node_modules/.package-lock.json')
  return (await Promise.all(sources.map(timeOf))).every((ms) => ms <= installedMs)
}

/** A clone, with stand-ins before the programs of the machine. */
async function openClone(t: TestContext) {
  const folder = join(await temporaryFolder(t), 'clone')
  const bin = join(folder, '../bin')
  await Promise.all([mkdir(folder), mkdir(bin)])
  await cp(join(ROOT, 'terraform'), join(folder, 'terraform'), { recursive: true, filter: isOurs })
  for (const name of SHARED) await symlink(join(ROOT, name), join(folder, name))
  const service = startService(t, join(ROOT, 'test/app/service-stand-in.ts'), { API_SECRET_KEY: KEY })
  const { address } = await service.logged('listening')
  const sources = { 'stand-ins.mjs': 'test/docs/deploy-stand-ins.ts', 'aws.mjs': 'test/tools/deploy/aws-stand-in.ts' }
  for (const [name, path] of Object.entries(sources))
    await writeFile(join(bin, name), stripTypeScriptTypes(await readFile(join(ROOT, path), 'utf8')))
  for (const name of ['terraform', 'docker', 'gh', 'aws']) {
    const script = `#!/bin/sh\nexec '${process.execPath}' '${bin}/stand-ins.mjs' ${name} "$@"\n`
    await writeFile(join(bin, name), script, { mode: 0o755 })
  }
  // The key that the service knows, in place of a random one.
  await writeFile(join(bin, 'openssl'), `#!/bin/sh\necho '${KEY}'\n`, { mode: 0o755 })
  await writeFile(join(bin, 'made.json'), JSON.stringify({ applied: [], images: [], secrets: [], files: [] }))
  await writeFile(join(bin, 'account.json'), JSON.stringify(ACCOUNT))
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env['PATH']}`,
    SERVICE_URL: String(address),
    STAND_IN_STATE: join(bin, 'made.json'),
    STAND_IN_AWS: join(bin, 'aws.mjs'),
    AWS_STAND_IN: join(bin, 'account.json'),
    DEPLOY_PAUSE_MS: '1'
  }
  return { folder, env, account: async () => JSON.parse(await readFile(join(bin, 'account.json'), 'utf8')) }
}

/** What AWS has made of the stage, for the stand-in of tools/deploy. */
const ACCOUNT = {
  calls: [],
  parameters: {},
  tasks: [
    { family: 'sbert-service-dev-worker', taskDefinitionArn: 'worker:1', containerDefinitions: [{ image: 'first' }] }
  ],
  tags: {},
  pairs: [],
  eTag: 1,
  service: { task: 'worker:1', before: 'worker:1', looksLeft: 0, isPutBack: false },
  environment: { label: 'first', before: 'first', looksLeft: 0 },
  lambda: { images: ['first'], live: '1', looksLeft: 0 }
}

test('docs/deploy.md works as it is typed, from an empty account to a rotated key', async (t) => {
  const hasZip = await run('zip', ['--version']).then(
    () => true,
    () => false
  )
  if (!hasZip) return t.skip('zip is not on this machine')
  assert(
    await isInstalled(),
    'packages are older than the lock file, and make would install them anew for the clone: npm ci'
  )
  const { folder, env, account } = await openClone(t)
  const blocks = blocksOf(await readFile(join(ROOT, 'docs/deploy.md'), 'utf8'))
  assert(blocks.length > 12)
  let script = blocks.map((block, index) => `echo 'block ${index}' >&2\n${block}`).join('\n')
  for (const [placeholder, value] of PLACEHOLDERS) script = script.replaceAll(placeholder, value)
  assert.doesNotMatch(script, /<[a-z-]+>|…/, 'nothing is left for the reader to guess')
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env,
    timeout: 300_000
  }).catch((error: { stderr?: string; stdout?: string }) => {
    const last = /^block (\d+)$/gm
    const index = Number([...(error.stderr ?? '').matchAll(last)].at(-1)?.[1])
    throw new Error(
      `Block ${index} failed:\n${blocks[index]}\n${error.stderr?.slice(-2000)}\n${error.stdout?.slice(-1000)}`
    )
  })
  assert.equal(
    stdout.match(/The stage keeps its promises/g)?.length,
    2,
    'after the first apply, and after the deployment'
  )
  assert.match(stdout, /new runs/)
  const state = await account()
  assert.deepEqual([state.environment.label, state.service.task], ['first', 'worker:1'], 'the page has rolled back')
  // Digests of the old key and of the new one, which the stand-in for openssl makes the same, and of the key with scopes.
  assert.equal(state.pairs.filter(({ Key }: { Key: string }) => /^[0-9a-f]{64}$/.test(Key)).length, 2)
  for (const stage of ['dev', 'prod'])
    assert.match(
      await readFile(join(folder, `terraform/stages/${stage}.s3.tfbackend`), 'utf8'),
      /bucket = "sbert-service-state-123456789012-/
    )
  return undefined
})

/** Commands of the AWS CLI itself, which are no call of a service. */
const CLI_OWN = new Set(['s3 cp', 'ecr get-login-password', 'logs tail'])

/** Looks each call up in the descriptions of AWS' services that come with the CLI; prints what does not exist. */
const LOOK_UP = `
import json, sys
import botocore.session
from botocore import xform_name
session = botocore.session.get_session()
for service, operation, flags in json.load(sys.stdin):
    try:
        model = session.get_service_model('s3' if service == 's3api' else service)
    except Exception:
        print(service, 'is no service')
        continue
    named = {xform_name(name, '-'): name for name in model.operation_names}
    if operation not in named:
        print(service, 'has no', operation)
        continue
    shape = model.operation_model(named[operation]).input_shape
    members = {xform_name(name, '-') for name in (shape.members if shape else {})}
    for flag in flags:
        if flag not in members and flag.removeprefix('no-') not in members:
            print(service, operation, 'has no', '--' + flag)
`

test('each call of AWS on the page exists, with its options', async (t) => {
  const page = await readFile(join(ROOT, 'docs/deploy.md'), 'utf8')
  const commands = [...page.replaceAll(/\\\n */g, ' ').matchAll(/\baws ([a-z0-9-]+) ([a-z0-9-]+)([^`\n|]*)/g)]
  const calls = commands
    .map(([, service = '', operation = '', rest = '']) => {
      const own = rest.replaceAll(/\$\(.*$|'[^']*'|"[^"]*"/g, '')
      const flags = [...own.matchAll(/ --([a-z-]+)/g)].map(([, flag = '']) => flag)
      return [service, operation, flags.filter((flag) => !['query', 'output', 'region'].includes(flag))] as const
    })
    .filter(([service, operation]) => !CLI_OWN.has(`${service} ${operation}`))
  assert(calls.length > 20, String(calls.length))
  const { promise, resolve } = Promise.withResolvers<string>()
  const child = execFile('python3', ['-c', LOOK_UP], (error, stdout, stderr) => {
    resolve(error === null ? stdout : `failed: ${stderr}`)
  })
  child.stdin?.end(JSON.stringify(calls))
  const found = await promise
  if (found.includes("No module named 'botocore'") || found.includes('ENOENT'))
    return t.skip('botocore is not on this machine')
  assert.equal(found, '')
  return undefined
})
