/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Usage: node tools/check-kernels/main.ts [--emulated-texts 1500]
//
// Compares every kernel of the native encoder with the numeric definition (docs/numerics.md), byte for byte: its functions
// at all shapes, then whole sentences alone and in batches. A kernel for which this CPU lacks the instructions is emulated:
// ARM's by qemu-user-static, AVX-512's and AVX-VNNI's by SIMDe, AMX's by emulated-intrinsics.h. What emulation needs is installed by apt where this is
// root; a kernel that could have been checked and was not ends it with status 1. Emulation takes some fifty times as long, so
// that it encodes fewer texts unless told otherwise: all 1,500 take it about an hour.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { WORD_EMBEDDINGS_FILE, weightsFile } from '../../src/embedding/model-files.ts'
import { createTokenizer } from '../../src/embedding/tokenizer.ts'
import { findCompiler, type CCompiler } from '../compile-model/c-compiler.ts'
import { compileC, KERNEL_OPTIONS, sourcesFor, type CSource } from '../compile-model/compile-native.ts'
import { sampleTexts } from './sample-texts.ts'

const run = promisify(execFile)

const MODEL = join(import.meta.dirname, '../../models/all-MiniLM-L6-v2/compiled')
const CHECK_PROGRAM: CSource = { name: join(import.meta.dirname, 'check-kernels.c'), options: [] }
/** Status of the check program when the CPU lacks the instructions. */
const CANNOT_RUN = 77
const TEXT_COUNT = 1500
const { 'emulated-texts': EMULATED_TEXTS } = parseArgs({
  options: { 'emulated-texts': { type: 'string', default: '40' } }
}).values
const EMULATED_TEXT_COUNT = Number(EMULATED_TEXTS)
assert.ok(
  Number.isInteger(EMULATED_TEXT_COUNT) && EMULATED_TEXT_COUNT > 0 && EMULATED_TEXT_COUNT <= TEXT_COUNT,
  `--emulated-texts: found ${EMULATED_TEXTS}, want 1 to ${TEXT_COUNT}`
)
const ARM_CPUS: Readonly<Record<string, string>> = {
  neon: 'cortex-a53',
  'neon-dotprod': 'neoverse-n1',
  'neon-i8mm': 'max'
}
const ARM_PACKAGES = ['qemu-user-static', 'gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross']
const SIMDE_PACKAGES = ['libsimde-dev']
const SIMDE_HEADER = '/usr/include/simde/x86/avx512.h'
const ARM_COMPILER: CCompiler = { command: 'aarch64-linux-gnu-gcc', options: [], version: '' }
const EMULATED_SOURCES = ['kernels-avx-vnni.c', 'kernels-avx512-vnni.c', 'kernels-amx-int8.c']
const AVX2_OPTIONS = ['-mavx2', '-mfma', '-mf16c', '-include', join(import.meta.dirname, 'emulated-intrinsics.h')]

/** How a kernel is run: the command before the arguments of the check program. */
interface Runner {
  readonly kernel: string
  readonly how: 'native' | 'emulated'
  readonly command: readonly string[]
}

const folder = await mkdtemp(join(tmpdir(), 'check-kernels-'))
try {
  await main()
} finally {
  await rm(folder, { recursive: true })
}

async function main(): Promise<void> {
  const compiler = await findCompiler(say)
  if (typeof compiler === 'string') throw new Error(`Cannot check the kernels: ${compiler}`)
  const { runners, missing } = await findRunners(compiler)
  const reference = { kernel: 'reference', how: 'native', command: [join(folder, 'native')] } as const
  const definition = encodeTexts(reference, TEXT_COUNT)
  const waiting = [...runners]
  const checkSome = async (): Promise<void> => {
    for (let runner = waiting.shift(); runner !== undefined; runner = waiting.shift()) await check(runner, definition)
  }
  // One more task runs beside the definition, which is slow.
  await Promise.all([checkSome(), definition.then(checkSome)])
  const names = (how: Runner['how']): string =>
    runners
      .filter((one) => one.how === how)
      .map((one) => one.kernel)
      .join(', ')
  const all = Object.values(KERNEL_OPTIONS).flatMap((kernels) => Object.keys(kernels)).length
  say(
    `kernels checked: ${runners.length} of ${all} (native: ${names('native') || 'none'}; ` +
      `emulated: ${names('emulated') || 'none'}; not here: ${missing.join(', ') || 'none'})`
  )
}

/** Compares a kernel's functions, then its embeddings of whole texts. */
async function check(runner: Runner, definition: Promise<Buffer>): Promise<void> {
  const { stdout } = await run(runner.command[0] ?? '', [...runner.command.slice(1), runner.kernel])
  const count = runner.how === 'native' ? TEXT_COUNT : EMULATED_TEXT_COUNT
  const found = await encodeTexts(runner, count)
  const wanted = await definition
  assert.ok(found.length > 0 && found.equals(wanted.subarray(0, found.length)), `${runner.kernel}: texts differ`)
  say(`${stdout.trim()}; ${count} texts, alone and in batches, have the bytes of the definition`)
}

/** Builds the check program for each kind of CPU. */
async function findRunners(compiler: CCompiler): Promise<{ runners: Runner[]; missing: string[] }> {
  const runners: Runner[] = []
  const missing: string[] = []
  const native = await build('native', process.arch, compiler)
  const lacking: string[] = []
  for (const kernel of kernelsOf(process.arch)) {
    const status = await run(native, [kernel, '--can-run']).then(
      () => 0,
      (error: { readonly code?: number }) => error.code
    )
    assert.ok(status === 0 || status === CANNOT_RUN, `the check program ended with ${status}`)
    if (status === 0) runners.push({ kernel, how: 'native', command: [native] })
    else lacking.push(kernel)
  }
  if (process.arch === 'x64' && lacking.length > 0) {
    const reason = runners.some(({ kernel }) => kernel === 'avx2')
      ? await install(SIMDE_PACKAGES, async () => readFile(SIMDE_HEADER))
      : 'SIMDe needs AVX2 here'
    if (reason === undefined) {
      const emulated = await build('emulated', 'x64', compiler, EMULATED_SOURCES)
      runners.push(...lacking.map((kernel) => ({ kernel, how: 'emulated', command: [emulated] }) as const))
    } else missing.push(...lacking.map((kernel) => `${kernel} (${reason})`))
  }
  if (process.arch !== 'arm64') {
    const reason = await install(ARM_PACKAGES, async () => {
      await run('qemu-aarch64-static', ['--version'])
      await run(ARM_COMPILER.command, ['--version'])
    })
    if (reason === undefined) {
      const arm = await build('arm64', 'arm64', ARM_COMPILER)
      for (const kernel of kernelsOf('arm64')) {
        runners.push({
          kernel,
          how: 'emulated',
          command: ['qemu-aarch64-static', '-cpu', ARM_CPUS[kernel] ?? 'max', arm]
        })
      }
    } else missing.push(...kernelsOf('arm64').map((kernel) => `${kernel} (${reason})`))
  } else missing.push(...kernelsOf('x64').map((kernel) => `${kernel} (this is an ARM CPU)`))
  return { runners, missing }
}

function kernelsOf(architecture: string): string[] {
  return Object.keys(KERNEL_OPTIONS[architecture] ?? {}).map((name) => name.replace(/^kernels-(.*)\.c$/, '$1'))
}

/** @param emulated sources whose intrinsics are SIMDe's */
async function build(
  name: string,
  architecture: string,
  compiler: CCompiler,
  emulated: readonly string[] = []
): Promise<string> {
  const target = join(folder, name)
  const sources = (await sourcesFor(architecture)).filter((source) => source.name !== 'binding.c')
  const adapted = sources.map((source) =>
    emulated.includes(source.name) ? { name: source.name, options: AVX2_OPTIONS } : source
  )
  const linkOptions = architecture === process.arch ? [] : ['-static']
  const omitted = await compileC(target, [...adapted, CHECK_PROGRAM], linkOptions, compiler)
  assert.ok(!emulated.some((source) => omitted.includes(source)), `not compiled: ${omitted.join(', ')}`)
  return target
}

/**
 * Installs Debian packages, unless what they bring is there.
 * @returns why it is not; undefined when it is
 * @throws Error when apt is there and this is root, and yet it fails
 */
async function install(packages: readonly string[], isThere: () => Promise<unknown>): Promise<string | undefined> {
  const found = async (): Promise<boolean> =>
    isThere().then(
      () => true,
      () => false
    )
  if (await found()) return undefined
  const canInstall =
    process.getuid?.() === 0 &&
    (await run('apt-get', ['--version']).then(
      () => true,
      () => false
    ))
  if (!canInstall) return `needs ${packages.join(', ')}`
  say(`installing ${packages.join(', ')}`)
  await run('apt-get', ['update'])
  await run('apt-get', ['install', '--yes', '--no-install-recommends', ...packages], { maxBuffer: 1 << 26 })
  assert.ok(await found(), `apt has installed ${packages.join(', ')}, and yet something is missing`)
  return undefined
}

/** Embeddings of the first texts, as bytes. */
async function encodeTexts({ kernel, command }: Runner, count: number): Promise<Buffer> {
  const tokenizer = createTokenizer(JSON.parse(await readFile(join(MODEL, 'tokenizer.json'), 'utf8')), {
    maxTokens: 256
  })
  const numbers = (await sampleTexts(count)).flatMap((text) => {
    const { ids } = tokenizer.tokenize(text, 'end')
    return [ids.length, ...ids]
  })
  const [texts, embeddings] = [join(folder, `${kernel}.texts`), join(folder, `${kernel}.embeddings`)]
  await writeFile(texts, Int32Array.from(numbers))
  const files = [join(MODEL, weightsFile('int8')), join(MODEL, WORD_EMBEDDINGS_FILE), texts, embeddings]
  await run(command[0] ?? '', [...command.slice(1), kernel, ...files])
  return readFile(embeddings)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
