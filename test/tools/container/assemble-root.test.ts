/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../../tools/container/assemble-root.sh', import.meta.url))
/** Any file that there is. */
const LIBRARY = '/bin/sh'
const SKIP = process.platform === 'linux' ? false : 'it assembles a root file system of Debian'

/** Runs the script in a folder with one native module, and with stand-ins for the programs of the base image. */
async function assemble(t: TestContext, programs: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'assemble-root-'))
  t.after(() => rm(folder, { recursive: true }))
  const natives = join(folder, 'node_modules/onnxruntime-node/bin/napi-v6')
  const stubs = {
    strip: 'cp "$3" "$2"',
    chown: ':',
    ldd: `echo "  libodd.so.1 => ${LIBRARY} (0x1)"`,
    'dpkg-query': '[ "$1" = --status ] && echo "Package: $2" || echo "libodd1:amd64: /lib/libodd.so.1"',
    cp: `case "$1" in /etc/*) ;; *) exec /bin/cp "$@" ;; esac`,
    ...programs
  }
  for (const path of [natives, join(folder, 'bin')]) await mkdir(path, { recursive: true })
  await writeFile(join(natives, 'odd.node'), 'odd')
  for (const [name, script] of Object.entries({ node: ':', ...stubs })) {
    await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  const env = { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}` }
  const root = join(folder, 'root')
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; said: string }>()
  const child = execFile('sh', [SCRIPT, root], { cwd: folder, env }, (_, out, err) => {
    resolve({ code: child.exitCode, said: out + err })
  })
  return { root, ...(await promise) }
}

test('assemble-root.sh copies the libraries, and says which packages they are of', { skip: SKIP }, async (t) => {
  const { root, code, said } = await assemble(t)
  assert.equal(code, 0, said)
  assert.deepEqual(await readFile(join(root, LIBRARY)), await readFile(LIBRARY))
  assert.match(await readFile(join(root, 'var/lib/dpkg/status.d/libodd1'), 'utf8'), /Package: libodd1/)
})

test('assemble-root.sh fails where a library is missing, or is of no package', { skip: SKIP }, async (t) => {
  const missing = await assemble(t, { ldd: 'echo "  libodd.so.1 => not found"' })
  assert.equal(missing.code, 1)
  assert.match(missing.said, /libodd\.so\.1 => not found\n.*lacks these libraries/)
  assert.equal((await assemble(t, { ldd: 'echo "  libodd.so.1 => /lib/libodd.so.1 (0x1)"; exit 1' })).code, 1)
  const unknown = await assemble(t, { 'dpkg-query': 'echo "no path found" >&2; exit 1' })
  assert.equal(unknown.code, 1)
})
