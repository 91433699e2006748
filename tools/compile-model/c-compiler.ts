/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { access, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A C compiler that takes the options of gcc. */
export interface CCompiler {
  readonly command: string
  /** Before all others. */
  readonly options: readonly string[]
  /** The first line that it tells of itself. */
  readonly version: string
}

/** Told what is being done. */
export type Report = (line: string) => void

const REQUIREMENTS = join(import.meta.dirname, 'zig-requirements.txt')
const ZIG_FOLDER = join(import.meta.dirname, '../../.cache/zig')
/** Zig compiles for the machine at hand unless told for which: programs are to run on other machines too. */
const ZIG_TARGETS: Readonly<Record<string, string>> = {
  'linux-x64': 'x86_64-linux-gnu.2.17',
  'linux-arm64': 'aarch64-linux-gnu.2.17'
}

export interface FindCompilerOptions {
  /** The command; `none` for no compiler, and so no native encoder. @default CC, else cc */
  readonly command?: string
  /** Where Zig is kept. */
  readonly zigFolder?: string
  readonly platform?: string
}

/**
 * Finds a C compiler: the one that CC names, else `cc`, else Zig, which pip fetches once (zig-requirements.txt).
 * @returns the compiler, or why there is none
 */
export async function findCompiler(report: Report, options: FindCompilerOptions = {}): Promise<CCompiler | string> {
  const { command = process.env['CC'], platform = `${process.platform}-${process.arch}` } = options
  if (command === 'none') return 'CC=none asks for none'
  const found = await describeCompiler(command ?? 'cc', [])
  if (found !== undefined) return found
  if (command !== undefined) return `CC is ${command}, and that cannot be run`
  const target = ZIG_TARGETS[platform]
  if (target === undefined) return `there is no C compiler (cc), and none to fetch for ${platform}`
  const zig = join(options.zigFolder ?? ZIG_FOLDER, 'ziglang/zig')
  try {
    await fetchZig(dirname(dirname(zig)), report)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    return `there is no C compiler (cc; on Debian: apt install gcc libc6-dev), and Zig cannot be fetched: ${problem}`
  }
  return (await describeCompiler(zig, ['cc', '-target', target])) ?? `Zig does not run here (${zig})`
}

async function describeCompiler(command: string, options: readonly string[]): Promise<CCompiler | undefined> {
  try {
    const { stdout } = await run(command, [...options, '--version'])
    return { command, options, version: stdout.split('\n')[0] ?? '' }
  } catch {
    return undefined
  }
}

/** Unpacks the wheel into a folder of its own; no code of it runs, and its checksum is known. */
async function fetchZig(folder: string, report: Report): Promise<void> {
  if (
    await access(folder).then(
      () => true,
      () => false
    )
  )
    return
  report('there is no C compiler: fetching one by pip, 101 MB')
  const partFolder = await mkdtemp(`${folder}.part-`)
  const options = [
    '--no-deps',
    '--only-binary',
    ':all:',
    '--require-hashes',
    '--disable-pip-version-check',
    '--no-input'
  ]
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', ...options, '--target', partFolder, '-r', REQUIREMENTS])
    await rename(partFolder, folder)
  } finally {
    await rm(partFolder, { recursive: true, force: true })
  }
}
