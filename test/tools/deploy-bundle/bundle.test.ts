/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, cp, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { fromBufferPromise } from 'yauzl'
import { makeBundle, MAX_BUNDLE_BYTES } from '../../../tools/deploy-bundle/bundle.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const IMAGE = `123456789012.dkr.ecr.us-east-1.amazonaws.com/sbert-service@sha256:${'0123456789abcdef'.repeat(4)}`

/**
 * Version 1 of the file, for the Docker platform.
 * Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/single-container-docker-configuration.html
 */
const Dockerrun = Type.Object(
  {
    AWSEBDockerrunVersion: Type.Literal('1'),
    Image: Type.Object(
      { Name: Type.Literal(IMAGE), Update: Type.Enum(['true', 'false']) },
      { additionalProperties: false }
    ),
    Ports: Type.Array(
      Type.Object(
        { ContainerPort: Type.Integer({ minimum: 1, maximum: 65_535 }), HostPort: Type.Optional(Type.Integer()) },
        { additionalProperties: false }
      ),
      { minItems: 1 }
    ),
    Volumes: Type.Optional(
      Type.Array(
        Type.Object(
          { HostDirectory: Type.String({ pattern: '^/' }), ContainerDirectory: Type.String({ pattern: '^/' }) },
          { additionalProperties: false }
        )
      )
    ),
    Logging: Type.Optional(Type.String()),
    Entrypoint: Type.Optional(Type.String()),
    Command: Type.Optional(Type.String())
  },
  { additionalProperties: false }
)

/** A copy of the bundle's sources, whose files have other times and modes. */
async function otherCheckout(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.after(() => rm(folder, { recursive: true }))
  await cp(join(ROOT, 'ebs'), folder, { recursive: true })
  for (const name of ['Dockerrun.aws.json', '.platform/hooks/prebuild/10-data-folder.sh']) {
    await utimes(join(folder, name), 1_000_000_000, 1_000_000_000)
    await chmod(join(folder, name), 0o640)
  }
  return folder
}

async function entriesOf(bundle: Buffer): Promise<Map<string, { mode: number; content: string }>> {
  const entries = new Map<string, { mode: number; content: string }>()
  const zip = await fromBufferPromise(bundle)
  for await (const entry of zip.eachEntry()) {
    const content = await buffer(await zip.openReadStreamPromise(entry))
    entries.set(entry.fileName, { mode: entry.externalFileAttributes >>> 16, content: content.toString() })
  }
  return entries
}

test('two bundles of one commit are the same bytes, wherever and whenever they are made', async (t) => {
  const first = await makeBundle(join(ROOT, 'ebs'), IMAGE)
  assert.deepEqual(await makeBundle(await otherCheckout(t), IMAGE), first)
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.after(() => rm(folder, { recursive: true }))
  const target = join(folder, 'deploy.zip')
  // Another folder, time zone, language and umask, in a process of its own.
  const command = `umask 077; exec "${process.execPath}" "${join(ROOT, 'tools/deploy-bundle/main.ts')}" "${target}"`
  const env = { IMAGE, TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8', PATH: process.env['PATH'] }
  const { stdout } = await run('sh', ['-c', command], { cwd: folder, env })
  assert.deepEqual(await readFile(target), first)
  assert.match(stdout, /bytes, SHA-256 [0-9a-f]{64}\n$/)
})

test('the bundle is what Beanstalk takes', async () => {
  const bundle = await makeBundle(join(ROOT, 'ebs'), IMAGE)
  assert.ok(bundle.length <= MAX_BUNDLE_BYTES)
  const entries = await entriesOf(bundle)
  assert.deepEqual(
    [...entries.keys()],
    [
      '.ebextensions/10-scaling-metrics.config',
      '.ebextensions/20-service.config',
      '.platform/hooks/prebuild/10-data-folder.sh',
      '.platform/nginx/conf.d/elasticbeanstalk/errors.conf',
      '.platform/nginx/conf.d/service.conf',
      'Dockerrun.aws.json'
    ]
  )
  const dockerrun: unknown = JSON.parse(entries.get('Dockerrun.aws.json')?.content ?? '')
  assert.deepEqual([...Value.Errors(Dockerrun, dockerrun)], [])
  for (const [name, { mode, content }] of entries) {
    assert.equal(mode, name.startsWith('.platform/hooks/') ? 0o100755 : 0o100644, name)
    assert.ok(!content.includes('\r'), `${name}: hooks with such line ends do not start`)
  }
})

test('nginx leaves to the service what the service limits, and answers JSON', async () => {
  const entries = await entriesOf(await makeBundle(join(ROOT, 'ebs'), IMAGE))
  const [, megabytes = 0] =
    /client_max_body_size (\d+)m;/.exec(entries.get('.platform/nginx/conf.d/service.conf')?.content ?? '') ?? []
  assert.ok(Number(megabytes) * 1024 * 1024 > 268_435_456, 'the largest of the settings that limit a body')
  const replies = entries
    .get('.platform/nginx/conf.d/elasticbeanstalk/errors.conf')
    ?.content.matchAll(/return (\d+) '(.*)';/g)
  const bodies = [...(replies ?? [])].map(([, status, json = '']) => [Number(status), JSON.parse(json).statusCode])
  assert.deepEqual(bodies, [
    [400, 400],
    [414, 414],
    [413, 413],
    [503, 503]
  ])
})

test('an image that is not named by its digest is refused, and nothing is written', async (t) => {
  for (const image of [
    undefined,
    '',
    'registry.example/sbert:latest',
    `${IMAGE}0`,
    IMAGE.toUpperCase(),
    `a b@${IMAGE}`
  ]) {
    await assert.rejects(makeBundle(join(ROOT, 'ebs'), image), { name: 'BundleError', message: /IMAGE .*@sha256:/ })
  }
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'deploy.zip'), 'before')
  const failed = run(process.execPath, [join(ROOT, 'tools/deploy-bundle/main.ts'), 'deploy.zip'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] }
  })
  await assert.rejects(failed, { code: 1, stderr: /^Cannot make the bundle: IMAGE is not set/ })
  assert.equal(await readFile(join(folder, 'deploy.zip'), 'utf8'), 'before')
})
