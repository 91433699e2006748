/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')

async function read(path: string): Promise<string> {
  return await readFile(join(ROOT, path), 'utf8')
}

test('every make command of README.md, .ci/run and the commit hook is in the Makefile, with a line of help', async () => {
  const verbs = new Set([...(await read('Makefile')).matchAll(/^([a-z.-]+):.*## \S/gm)].map(([, verb]) => verb))
  for (const path of ['README.md', '.ci/run', '.githooks/pre-commit']) {
    const used = [...(await read(path)).matchAll(/^[ `]*(?:step )?make ((?:[a-z][a-z.-]*[a-z](?: |$))+)/gm)]
    const names = used.flatMap(([, list]) => (list ?? '').trim().split(' '))
    assert.ok(names.length > 0, `${path} uses make`)
    for (const name of names) assert.ok(verbs.has(name), `make ${name}, in ${path}`)
  }
})

test('the Makefile runs only scripts that package.json has', async () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(await read('package.json'))
  const used = [...(await read('Makefile')).matchAll(/\$\(RUN\) ([\w-]+)/g)].map(([, name]) => name ?? '')
  assert.ok(used.length > 0)
  assert.deepEqual(
    used.filter((name) => !(name in scripts)),
    []
  )
})

test('.ci/run runs the test command of README.md', async () => {
  assert.match(await read('README.md'), /^make test +#/m)
  assert.match(await read('.ci/run'), /^step make test$/m)
})

/** The folder of npm's cache that make gives to its commands; empty: npm's own. */
async function npmCacheIn(env: Record<string, string>): Promise<string> {
  const show = 'show: ; @printenv npm_config_cache || true'
  const { stdout } = await promisify(execFile)('make', ['--silent', `--eval=${show}`, 'show'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env }
  })
  return stdout.trim()
}

test('make keeps npm’s cache in the project where the home directory cannot be written', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'home-'))
  t.after(() => rm(home, { recursive: true }))
  const own = join(ROOT, '.cache/npm')
  assert.equal(await npmCacheIn({ HOME: join(home, 'nonexistent') }), own)
  assert.equal(await npmCacheIn({}), own)
  assert.equal(await npmCacheIn({ HOME: home }), '')
  await mkdir(join(home, '.npm'))
  assert.equal(await npmCacheIn({ HOME: home }), '')
  assert.equal(await npmCacheIn({ HOME: join(home, 'nonexistent'), npm_config_cache: home }), home)
})
