/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sha256OfFile } from '../../src/embedding/model-files.ts'
import {
  findNativeProgram,
  loadNativeProgram,
  PROGRAM_DESCRIPTION_FILE,
  PROGRAM_FILE,
  readProgramDescription,
  type ProgramDescription
} from '../../src/embedding/native-program.ts'
import { findCompiler, type CCompiler, type FindCompilerOptions, type Report } from './c-compiler.ts'

const run = promisify(execFile)

/** Where the sources of the native encoder are. */
export const NATIVE_SOURCES = join(import.meta.dirname, '../../src/embedding/native')

const HEADERS = dirname(fileURLToPath(import.meta.resolve('node-api-headers/include/node_api.h')))
/** docs/numerics.md: a product and a sum become one rounding only where the source says so. */
const OPTIONS = [
  '-std=gnu11',
  '-O3',
  '-Wall',
  '-Wextra',
  '-fPIC',
  '-pthread',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-fno-math-errno'
]
const AVX2 = ['-mavx2', '-mfma', '-mf16c']
const AVX512 = [...AVX2, ...['f', 'bw', 'vl', 'dq', 'vnni'].map((name) => `-mavx512${name}`)]
/** Instructions that a file of kernels may use beyond what every CPU of its architecture has; cpu-features.c asks for them. */
export const KERNEL_OPTIONS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  x64: {
    'kernels-avx2.c': AVX2,
    'kernels-avx-vnni.c': [...AVX2, '-mavxvnni'],
    'kernels-avx512-vnni.c': AVX512,
    'kernels-amx-int8.c': [...AVX512, '-mamx-tile', '-mamx-int8']
  },
  arm64: {
    'kernels-neon.c': [],
    'kernels-neon-dotprod.c': ['-march=armv8.2-a+dotprod'],
    'kernels-neon-i8mm.c': ['-march=armv8.2-a+dotprod+i8mm']
  }
}
/** Kernels that a compiler may be too old for (gcc before 11, clang before 12), and the macro for sources without them. */
const OPTIONAL_KERNELS: Readonly<Record<string, string>> = {
  'kernels-avx-vnni.c': 'WITHOUT_AVX_VNNI',
  'kernels-amx-int8.c': 'WITHOUT_AMX_INT8'
}
const LINK_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  linux: ['-shared'],
  // Node's own functions are found when the program is loaded.
  darwin: ['-shared', '-undefined', 'dynamic_lookup']
}

/** The native encoder of this machine, or why there is none. */
export type NativeBuild =
  | { readonly isThere: true; readonly programPath: string }
  | { readonly isThere: false; readonly reason: string }

/**
 * Compiles the native encoder for this architecture, with all its kernels, unless the folder holds just that.
 * @param folder gets the program and its description, whole or not at all
 * @throws Error with what the compiler said, and how to do without
 */
export async function buildNativeProgram(
  folder: string,
  report: Report,
  options: FindCompilerOptions = {}
): Promise<NativeBuild> {
  const isUnwanted = (options.command ?? process.env['CC']) === 'none'
  const fingerprint = await fingerprintOfSources()
  if (!isUnwanted && (await readProgramDescription(folder))?.fingerprint === fingerprint) {
    // A program that was damaged is made anew.
    const programPath = await findNativeProgram(folder).catch(() => undefined)
    if (programPath !== undefined) return { isThere: true, programPath }
  }
  await rm(folder, { recursive: true, force: true })
  if (LINK_OPTIONS[process.platform] === undefined)
    return { isThere: false, reason: `it is for Linux and macOS, and this is ${process.platform}` }
  const compiler = await findCompiler(report, options)
  if (typeof compiler === 'string') return { isThere: false, reason: compiler }

  await mkdir(dirname(folder), { recursive: true })
  const workFolder = await mkdtemp(`${folder}.part-`)
  try {
    const path = join(workFolder, PROGRAM_FILE)
    const omitted = await compileProgram(path, compiler)
    if (omitted.length > 0)
      report(`native encoder: ${compiler.version} does not know the instructions of ${omitted.join(', ')}`)
    const kernels = loadNativeProgram(path).kernels()
    const description: ProgramDescription = {
      fingerprint,
      compiler: compiler.version,
      sha256: await sha256OfFile(path)
    }
    await writeFile(join(workFolder, PROGRAM_DESCRIPTION_FILE), `${JSON.stringify(description, null, 2)}\n`)
    await chmod(workFolder, 0o755) // mkdtemp makes folders that only their owner can read.
    await rename(workFolder, folder)
    report(`native encoder: compiled by ${compiler.version}; this CPU can run ${kernels.join(', ')}`)
    return { isThere: true, programPath: join(folder, PROGRAM_FILE) }
  } finally {
    await rm(workFolder, { recursive: true, force: true })
  }
}

/** A C file and the options that it needs beside {@link OPTIONS}. */
export interface CSource {
  readonly name: string
  readonly options: readonly string[]
}

/** The sources for an architecture. */
export async function sourcesFor(architecture: string): Promise<CSource[]> {
  const kernels = KERNEL_OPTIONS[architecture] ?? {}
  const names = (await readdir(NATIVE_SOURCES)).filter((name) => name.endsWith('.c')).toSorted()
  const isForOther = (name: string): boolean =>
    Object.values(KERNEL_OPTIONS).some((others) => name in others && others !== kernels)
  return names.filter((name) => !isForOther(name)).map((name) => ({ name, options: kernels[name] ?? [] }))
}

/**
 * Compiles C files and links them. Kernels whose options the compiler does not know are left out.
 * @param sources names in src/embedding/native, or absolute paths
 * @param target the file to make
 * @returns names of the sources that were left out
 * @throws Error with what the compiler said
 */
export async function compileC(
  target: string,
  sources: readonly CSource[],
  linkOptions: readonly string[],
  compiler: CCompiler
): Promise<string[]> {
  const { command, options } = compiler
  const omitted: string[] = []
  for (const { name, options: wanted } of sources) {
    if (OPTIONAL_KERNELS[name] !== undefined && !(await knowsOptions(compiler, wanted))) omitted.push(name)
  }
  const macros = omitted.map((name) => `-D${OPTIONAL_KERNELS[name]}`)
  const waiting = sources.filter(({ name }) => !omitted.includes(name))
  const objects: string[] = []
  const compileSome = async (): Promise<void> => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      const object = `${target}-${basename(source.name)}.o`
      objects.push(object)
      const includes = ['-I', NATIVE_SOURCES, '-I', HEADERS]
      await run(
        command,
        [...options, ...OPTIONS, ...macros, ...source.options, ...includes, '-c', source.name, '-o', object],
        {
          cwd: NATIVE_SOURCES
        }
      )
    }
  }
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, compileSome))
    await run(command, [...options, ...linkOptions, '-pthread', ...objects.toSorted(), '-lm', '-o', target])
    return omitted
  } finally {
    for (const object of objects) await rm(object, { force: true })
  }
}

/** Whether the compiler knows the machine options among these. */
async function knowsOptions({ command, options }: CCompiler, wanted: readonly string[]): Promise<boolean> {
  const ofMachine = wanted.filter((option) => option.startsWith('-m'))
  return run(command, [...options, ...ofMachine, '-E', '-x', 'c', '/dev/null']).then(
    () => true,
    () => false
  )
}

async function compileProgram(target: string, compiler: CCompiler): Promise<string[]> {
  try {
    return await compileC(target, await sourcesFor(process.arch), LINK_OPTIONS[process.platform] ?? [], compiler)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new Error(`Cannot compile the native encoder (CC=none does without it): ${problem}`, { cause: error })
  }
}

async function fingerprintOfSources(): Promise<string> {
  const hash = createHash('sha256').update(
    JSON.stringify([process.arch, OPTIONS, KERNEL_OPTIONS, OPTIONAL_KERNELS, LINK_OPTIONS])
  )
  for (const name of (await readdir(NATIVE_SOURCES)).toSorted()) {
    hash.update(`${name}\n`).update(await readFile(join(NATIVE_SOURCES, name)))
  }
  return hash.digest('hex')
}
