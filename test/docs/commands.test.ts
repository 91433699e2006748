/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'

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
