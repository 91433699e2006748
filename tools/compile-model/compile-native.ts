/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { canRunNative, detectCpu } from '../../src/embedding/cpu.ts'

const run = promisify(execFile)

/** Where the sources of the native encoder are. */
export const NATIVE_SOURCES = join(import.meta.dirname, '../../src/embedding/native')

const HEADERS = dirname(fileURLToPath(import.meta.resolve('node-api-headers/include/node_api.h')))
const COMPILER = process.env['CC'] ?? 'cc'
const FLAGS = [
  '-std=gnu11',
  '-O3',
  '-Wall',
  '-Wextra',
  '-shared',
  '-fPIC',
  '-pthread',
  '-fvisibility=hidden',
  // A product and a sum become one instruction where the source says so, and nowhere else: bytes stay the same.
  '-ffp-contract=off',
  // cpu.ts asks for just these before the program is loaded.
  '-mavx512f',
  '-mavx512bw',
  '-mavx512vl',
  '-mavx512dq',
  '-mavx512vnni',
  '-mfma',
  '-mf16c'
]

/** Whether the native encoder can be made, and if so with what: the first line that the compiler tells of itself. */
export type NativeSupport =
  | { readonly isThere: true; readonly compiler: string }
  | { readonly isThere: false; readonly reason: string }

/** Looks whether this machine can compile the native encoder, and run it: what cannot run cannot show its quality. */
export async function findNativeSupport(compiler = COMPILER, cpu = detectCpu()): Promise<NativeSupport> {
  if (process.platform !== 'linux')
    return { isThere: false, reason: `it is for Linux, and this is ${process.platform}` }
  if (!canRunNative(cpu)) return { isThere: false, reason: 'it is for x86-64 CPUs with AVX-512 and VNNI' }
  try {
    const { stdout } = await run(compiler, ['--version'])
    return { isThere: true, compiler: stdout.split('\n')[0] ?? '' }
  } catch {
    return { isThere: false, reason: `there is no C compiler (${compiler}); on Debian: apt install gcc libc6-dev` }
  }
}

/**
 * Compiles the native encoder.
 * @param target the file to make: a Node-API addon
 * @throws Error with what the compiler said, and how to do without
 */
export async function compileNative(target: string, compiler = COMPILER): Promise<void> {
  const sources = (await readdir(NATIVE_SOURCES)).filter((name) => name.endsWith('.c')).toSorted()
  try {
    await run(compiler, [...FLAGS, '-I', HEADERS, ...sources, '-lm', '-o', target], { cwd: NATIVE_SOURCES })
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new Error(`Cannot compile the native encoder (CC=none does without it): ${problem}`, { cause: error })
  }
}
