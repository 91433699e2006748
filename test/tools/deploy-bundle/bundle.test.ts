/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, chmod, cp, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { fromBufferPromise } from 'yauzl'
import {
  bundledPaths,
  makeImageBundle,
  makeSourceBundle,
  MAX_BUNDLE_BYTES
} from '../../../tools/deploy-bundle/bundle.ts'
import { copiedPaths } from '../../../tools/deploy-bundle/copied-paths.ts'
import { readSources } from '../../../tools/deploy-bundle/source-files.ts'

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

test('two bundles of one commit and image are the same bytes, wherever and whenever they are made', async (t) => {
  const first = await makeImageBundle(join(ROOT, 'ebs'), IMAGE)
  assert.deepEqual(await makeImageBundle(await otherCheckout(t), IMAGE), first)
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

test('the bundle of an image is what Beanstalk takes', async () => {
  const bundle = await makeImageBundle(join(ROOT, 'ebs'), IMAGE)
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
  const entries = await entriesOf(await makeImageBundle(join(ROOT, 'ebs'), IMAGE))
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
  for (const image of ['', 'registry.example/sbert:latest', `${IMAGE}0`, IMAGE.toUpperCase(), `a b@${IMAGE}`]) {
    await assert.rejects(makeImageBundle(join(ROOT, 'ebs'), image), {
      name: 'BundleError',
      message: /IMAGE .*@sha256:/
    })
  }
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'deploy.zip'), 'before')
  const failed = run(process.execPath, [join(ROOT, 'tools/deploy-bundle/main.ts'), 'deploy.zip'], {
    cwd: folder,
    // As in a script whose variable has no value: not a wish for the other kind of bundle.
    env: { IMAGE: '', PATH: process.env['PATH'] }
  })
  await assert.rejects(failed, { code: 1, stderr: /^Cannot make the bundle: IMAGE does not end in a digest/ })
  assert.equal(await readFile(join(folder, 'deploy.zip'), 'utf8'), 'before')
})

const BASE = `docker.io/library/node:26-bookworm-slim@sha256:${'0123456789abcdef'.repeat(4)}`
/** What no archive of the sources has. */
const NOT_ARCHIVED = /^(?:\.git|\.cache|data|coverage|web\/dist)$|(?:^|\/)node_modules$|^models\/(?!manifest\.json$)/

/** The repository as a downloaded archive has it: without git, and without what was installed, built or fetched. */
async function archive(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'archive-'))
  t.after(() => rm(folder, { recursive: true }))
  await cp(ROOT, folder, { recursive: true, filter: (path) => !NOT_ARCHIVED.test(relative(ROOT, path)) })
  return folder
}

async function git(folder: string, ...options: string[]): Promise<void> {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false']
  const env = { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' }
  await run('git', [...identity, ...options], { cwd: folder, env, maxBuffer: 1 << 26 })
}

test('two source bundles of one commit are the same bytes, of any clone, and of its archive', async (t) => {
  const folder = await archive(t)
  const { commit: none, files } = await readSources(folder)
  assert.equal(none, undefined)
  const first = await makeSourceBundle(files)
  await git(folder, 'init', '--quiet')
  await git(folder, 'add', '--all')
  await git(folder, 'commit', '--quiet', '--message', 'all')
  // Other line ends, modes and times.
  const clone = await mkdtemp(join(tmpdir(), 'clone-'))
  t.after(() => rm(clone, { recursive: true }))
  await git(clone, 'clone', '--quiet', '--config', 'core.autocrlf=true', folder, '.')
  await chmod(join(clone, 'src/errors.ts'), 0o600)
  await utimes(join(clone, 'src/errors.ts'), 1_000_000_000, 1_000_000_000)
  assert.match(await readFile(join(clone, 'src/errors.ts'), 'utf8'), /\r\n/)
  for (const checkout of [folder, clone]) {
    const sources = await readSources(checkout)
    assert.match(sources.commit ?? '', /^[0-9a-f]{40}/)
    assert.deepEqual(bundledPaths(sources.files, sources.uncommitted), [])
    assert.ok(first.equals(await makeSourceBundle(sources.files)), checkout)
  }
  // What is not committed is left out, and told; but not what no build needs.
  await appendFile(join(folder, 'src/errors.ts'), '// changed')
  await writeFile(join(folder, 'src/new.ts'), '')
  await writeFile(join(folder, 'docs/new.md'), '')
  const changed = await readSources(folder)
  assert.deepEqual(bundledPaths(changed.files, changed.uncommitted), ['src/errors.ts', 'src/new.ts'])
  assert.ok(first.equals(await makeSourceBundle(changed.files)))
})

test('make deploy.zip without an image makes the same source bundle in any time zone, language and umask', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.after(() => rm(folder, { recursive: true }))
  const bundles: Buffer[] = []
  for (const [umask, env] of [
    ['022', { TZ: 'America/St_Johns', LC_ALL: 'C' }],
    ['077', { TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8' }]
  ] as const) {
    const command = `umask ${umask}; exec "${process.execPath}" "${join(ROOT, 'tools/deploy-bundle/main.ts')}"`
    const { stdout } = await run('sh', ['-c', command], { cwd: folder, env: { ...env, PATH: process.env['PATH'] } })
    assert.match(stdout, /^deploy\.zip: each instance builds the image, \d+ bytes, SHA-256 [0-9a-f]{64}\n$/)
    bundles.push(await readFile(join(folder, 'deploy.zip')))
  }
  assert.ok(bundles[0]?.equals(bundles[1] ?? Buffer.alloc(0)))
})

test('a source bundle has all that the image is built from, and a Compose file to build and run it', async (t) => {
  const { files } = await readSources(await archive(t))
  const bundle = await makeSourceBundle(files)
  assert.ok(bundle.length < MAX_BUNDLE_BYTES / 50)
  const entries = await entriesOf(bundle)
  const names = [...entries.keys()]
  const dockerfile = entries.get('Dockerfile')?.content ?? ''
  const copied = copiedPaths(dockerfile)
  assert.ok(
    copied.includes('package.json') && copied.includes('src') && copied.includes('tools/container/first-run.ts')
  )
  for (const path of copied) {
    assert.ok(
      names.some((name) => name === path || name.startsWith(`${path}/`)),
      path
    )
  }
  assert.deepEqual(
    names.filter((name) => !copied.some((path) => name === path || name.startsWith(`${path}/`))),
    [
      '.dockerignore',
      '.ebextensions/10-scaling-metrics.config',
      '.ebextensions/20-service.config',
      '.ebextensions/30-build.config',
      '.platform/hooks/postdeploy/90-remove-old-images.sh',
      '.platform/hooks/prebuild/10-data-folder.sh',
      'Dockerfile',
      'LICENSE',
      'docker-compose.yml'
    ]
  )
  assert.deepEqual(
    names.filter((name) => /node_modules|web\/dist|^models\/(?!manifest\.json)/.test(name)),
    []
  )
  for (const [name, { mode }] of entries) {
    assert.equal(mode, name.startsWith('.platform/hooks/') ? 0o100755 : 0o100644, name)
  }
  // What the Compose file says of the image and of the instance is what these say themselves.
  const compose = entries.get('docker-compose.yml')?.content ?? ''
  const [, target = ''] = /^ +target: (\w+)$/m.exec(compose) ?? []
  const stage = dockerfile.slice(dockerfile.indexOf(`AS ${target}\n`))
  const [, port] = /^EXPOSE (\d+)$/m.exec(stage) ?? []
  assert.match(compose, new RegExp(`^ +ports: \\['80:${port}'\\]$`, 'm'))
  assert.match(compose, new RegExp(`^ +PORT: '${port}'$`, 'm'))
  const [, host = '', container] = /^ +volumes: \['([^:]+):([^']+)'\]$/m.exec(compose) ?? []
  assert.match(stage, new RegExp(`^VOLUME ${container}$`, 'm'))
  assert.match(entries.get('.platform/hooks/prebuild/10-data-folder.sh')?.content ?? '', new RegExp(` ${host}$`, 'm'))
})

test('a source bundle can name its base image by digest, and takes no other name', async (t) => {
  const { files } = await readSources(await archive(t))
  const plain = await entriesOf(await makeSourceBundle(files))
  const entries = await entriesOf(await makeSourceBundle(files, BASE))
  const changed = [...entries].filter(([name, { content }]) => content !== plain.get(name)?.content)
  assert.deepEqual(
    changed.map(([name]) => name),
    ['Dockerfile']
  )
  assert.deepEqual(changed[0]?.[1].content.match(/^ARG BASE_IMAGE.*$/gm), [`ARG BASE_IMAGE=${BASE}`, 'ARG BASE_IMAGE'])
  for (const name of ['', 'docker.io/library/node:26-bookworm-slim']) {
    await assert.rejects(makeSourceBundle(files, name), { name: 'BundleError', message: /BASE_IMAGE .*@sha256:/ })
  }
  const failed = run(process.execPath, [join(ROOT, 'tools/deploy-bundle/main.ts'), '/nonexistent/deploy.zip'], {
    env: { IMAGE, BASE_IMAGE: BASE, PATH: process.env['PATH'] }
  })
  await assert.rejects(failed, { code: 1, stderr: /^Cannot make the bundle: IMAGE is built already/ })
})

test('a source bundle is not made without a file that the image is built from', async (t) => {
  const { files } = await readSources(await archive(t))
  for (const [left, message] of [
    ['Dockerfile', /there is no Dockerfile$/],
    ['models/manifest.json', /the Dockerfile copies models, which is missing$/]
  ] as const) {
    const rest = files.filter(({ name }) => name !== left)
    await assert.rejects(makeSourceBundle(rest), { name: 'BundleError', message })
  }
})

test('copiedPaths() gives what a Dockerfile takes from its context, not from another stage or its comments', () => {
  const dockerfile = [
    'FROM a AS b',
    '# COPY no.ts ./',
    'COPY package.json .npmrc ./',
    'COPY --chown=1000:1000 \\',
    '  src/ src/',
    'COPY --from=a /app/dist dist',
    'RUN --mount=type=cache,target=/c --mount=type=bind,source=run.ts,target=/run.ts node /run.ts',
    'RUN --mount=type=bind,from=a,source=other.ts,target=/o.ts true'
  ].join('\n')
  assert.deepEqual(copiedPaths(dockerfile), ['package.json', '.npmrc', 'src', 'run.ts'])
})
