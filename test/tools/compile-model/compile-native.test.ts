/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  findNativeProgram,
  loadNativeProgram,
  NATIVE_FOLDER,
  PROGRAM_FILE
} from '../../../src/embedding/native-program.ts'
import { findCompiler } from '../../../tools/compile-model/c-compiler.ts'
import { buildNativeProgram, sourcesFor } from '../../../tools/compile-model/compile-native.ts'

const quiet = (): void => undefined

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'native-'))
  t.after(async () => rm(folder, { recursive: true, force: true }))
  return folder
}

test('findCompiler() says why there is none', async (t) => {
  assert.equal(await findCompiler(quiet, { command: 'none' }), 'CC=none asks for none')
  assert.equal(
    await findCompiler(quiet, { command: 'no-such-compiler' }),
    'CC is no-such-compiler, and that cannot be run'
  )
  const path = process.env['PATH']
  t.after(() => (process.env['PATH'] = path))
  process.env['PATH'] = await temporaryFolder(t)
  const zigFolder = join(await temporaryFolder(t), 'zig')
  const reason = await findCompiler(quiet, { zigFolder, platform: 'linux-x64' })
  assert.ok(typeof reason === 'string')
  assert.match(
    reason,
    /^there is no C compiler \(cc; on Debian: apt install gcc libc6-dev\), and Zig cannot be fetched: .*python3/
  )
  assert.equal(
    await findCompiler(quiet, { zigFolder, platform: 'sunos-x64' }),
    'there is no C compiler (cc), and none to fetch for sunos-x64'
  )
})

test('buildNativeProgram() keeps what is up to date, and makes anew what was damaged', async (t) => {
  const folder = join(await temporaryFolder(t), 'native')
  await cp(NATIVE_FOLDER, folder, { recursive: true })
  const lines: string[] = []
  const build = async (): Promise<void> => {
    const built = await buildNativeProgram(folder, (line) => lines.push(line))
    assert.deepEqual(built, { isThere: true, programPath: join(folder, PROGRAM_FILE) })
  }
  await build()
  assert.deepEqual(lines, [])
  await writeFile(join(folder, PROGRAM_FILE), 'damaged')
  await assert.rejects(findNativeProgram(folder), /has SHA-256/)
  await build()
  assert.match(lines.join('\n'), /^native encoder: compiled by .*; this CPU can run .*reference$/)
  assert.ok(loadNativeProgram(join(folder, PROGRAM_FILE)).kernels().includes('reference'))
})

test('without a compiler there is no program, also where there was one', async (t) => {
  const folder = join(await temporaryFolder(t), 'native')
  await cp(NATIVE_FOLDER, folder, { recursive: true })
  const built = await buildNativeProgram(folder, quiet, { command: 'none' })
  assert.deepEqual(built, { isThere: false, reason: 'CC=none asks for none' })
  assert.equal(await findNativeProgram(folder), undefined)
})

test('a compiler that fails is told of, with how to do without', async (t) => {
  const folder = await temporaryFolder(t)
  const compiler = join(folder, 'cc')
  await writeFile(
    compiler,
    '#!/bin/sh\n[ "$1" = --version ] && echo odd 1.0 && exit 0\necho no such option >&2\nexit 1\n'
  )
  await chmod(compiler, 0o755)
  await assert.rejects(
    buildNativeProgram(join(folder, 'native'), quiet, { command: compiler }),
    /Cannot compile the native encoder \(CC=none does without it\): .*no such option/s
  )
})

test(
  'a compiler that does not know the newest instructions compiles all other kernels',
  { skip: process.arch === 'x64' ? false : 'the kernels of this CPU need no new compiler' },
  async (t) => {
    const folder = await temporaryFolder(t)
    const compiler = join(folder, 'cc')
    const refusal = 'echo "unrecognized command-line option" >&2; exit 1'
    const script = `for option; do case $option in -mavxvnni|-mamx-*) ${refusal};; esac; done; exec ${process.env['CC'] ?? 'cc'} "$@"`
    await writeFile(compiler, `#!/bin/sh\n${script}\n`)
    await chmod(compiler, 0o755)
    const lines: string[] = []
    const built = await buildNativeProgram(join(folder, 'native'), (line) => lines.push(line), { command: compiler })
    assert.ok(built.isThere)
    assert.match(lines.join('\n'), /does not know the instructions of kernels-amx-int8\.c, kernels-avx-vnni\.c/)
    const all = loadNativeProgram(join(NATIVE_FOLDER, PROGRAM_FILE)).kernels()
    const program = loadNativeProgram(built.programPath)
    assert.deepEqual(
      program.kernels(),
      all.filter((name) => name !== 'amx-int8' && name !== 'avx-vnni')
    )
    assert.deepEqual(program.refusedKernels?.(), [])
  }
)

async function kernelFiles(architecture: string): Promise<string[]> {
  return (await sourcesFor(architecture)).map(({ name }) => name).filter((name) => name.startsWith('kernels-'))
}

test('sourcesFor() gives each architecture all of its kernels and no other', async () => {
  assert.deepEqual(await kernelFiles('x64'), [
    'kernels-amx-int8.c',
    'kernels-avx-vnni.c',
    'kernels-avx2.c',
    'kernels-avx512-vnni.c',
    'kernels-reference.c'
  ])
  assert.deepEqual(await kernelFiles('arm64'), [
    'kernels-neon-dotprod.c',
    'kernels-neon-i8mm.c',
    'kernels-neon.c',
    'kernels-reference.c'
  ])
  assert.deepEqual(await kernelFiles('riscv64'), ['kernels-reference.c'])
})

test('every table of kernels is listed, so that it can be chosen', async () => {
  const list = await readFile(new URL('../../../src/embedding/native/cpu-features.c', import.meta.url), 'utf8')
  for (const architecture of ['x64', 'arm64']) {
    for (const { name } of await sourcesFor(architecture)) {
      if (!name.startsWith('kernels-')) continue
      const table = name.replace('.c', '').replaceAll('-', '_')
      assert.match(list, new RegExp(`all_kernels\\[\\] = \\{[^}]*&${table}\\b`), name)
    }
  }
})
