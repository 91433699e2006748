/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { findNativeProgram, loadNativeProgram } from '../../src/embedding/native-program.ts'
import { findCompiler } from '../../tools/compile-model/c-compiler.ts'
import { compileC, NATIVE_SOURCES } from '../../tools/compile-model/compile-native.ts'
import { startService } from '../app/service-process.ts'

const run = promisify(execFile)
const isLinuxOnX64 = process.platform === 'linux' && process.arch === 'x64'
const programPath = (await findNativeProgram()) ?? assert.fail('no native encoder: run make download-models')
const kernels = loadNativeProgram(programPath).kernels()

/** Compiles a C file of this folder, with sources of the native encoder, to a program. */
async function compile(t: TestContext, name: string, sources: readonly string[]): Promise<string> {
  const compiler = await findCompiler(() => undefined)
  if (typeof compiler === 'string') assert.fail(compiler)
  const folder = await mkdtemp(join(tmpdir(), 'tiles-'))
  t.after(async () => rm(folder, { recursive: true }))
  const target = join(folder, name)
  const paths = [join(import.meta.dirname, `${name}.c`), ...sources.map((source) => join(NATIVE_SOURCES, source))]
  await compileC(
    target,
    paths.map((path) => ({ name: path, options: [] })),
    [],
    compiler
  )
  return target
}

test(
  'judge_tiles() asks the system for tiles only where there are any, and takes its answer',
  { skip: isLinuxOnX64 ? false : 'tiles are of x86-64 CPUs' },
  async (t) => {
    await run(await compile(t, 'judge-tiles', ['cpu-features.c']))
  }
)

test(
  'a service that is refused tiles computes the same model without them, and its log says so',
  { skip: kernels.includes('amx-int8') ? false : 'this CPU has no AMX, or the system refuses it to this process too' },
  async (t) => {
    const refuseTiles = await compile(t, 'refuse-tiles', [])
    const canFilter = await run(refuseTiles, ['true']).then(
      () => true,
      (error: { readonly code?: number }) => error.code !== 77
    )
    if (!canFilter) {
      t.skip('this system does not let a process filter system calls')
      return
    }
    const loadedWith = async (wrap: readonly string[]): Promise<Record<string, unknown>> =>
      startService(t, 'src/bin/service.ts', { API_SECRET_KEY: 'key', ENCODE_WORKERS: '2' }, [], wrap).logged(
        'the model is loaded'
      )
    const usual = await loadedWith([])
    const refused = await loadedWith([refuseTiles])
    assert.deepEqual([usual['arithmetic'], usual['refusedKernels']], ['int8 by amx-int8', undefined])
    assert.deepEqual([refused['arithmetic'], refused['refusedKernels']], ['int8 by avx512-vnni', ['amx-int8']])
    assert.equal(refused['revision'], usual['revision'])
  }
)
