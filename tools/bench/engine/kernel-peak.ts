/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findCompiler } from '../../compile-model/c-compiler.ts'
import { compileC, sourcesFor } from '../../compile-model/compile-native.ts'

const run = promisify(execFile)

/** Peak speed of one thread that computes only the products of one layer. */
export interface Peak {
  readonly kernel: string
  readonly tokenCount: number
  readonly multiplyAddsPerSecond: number
}

/**
 * Measures the integer products of each kernel that this CPU can run: kernel-peak.c.
 * @throws Error when there is no compiler
 */
export async function measureKernelPeaks(hiddenSize: number, intermediateSize: number): Promise<Peak[]> {
  const compiler = await findCompiler((line) => process.stderr.write(`bench: ${line}\n`))
  if (typeof compiler === 'string') throw new Error(`Cannot measure the kernels: ${compiler}`)
  const folder = await mkdtemp(join(tmpdir(), 'kernel-peak-'))
  try {
    const target = join(folder, 'kernel-peak')
    const sources = (await sourcesFor(process.arch)).filter(({ name }) => name !== 'binding.c')
    await compileC(
      target,
      [...sources, { name: join(import.meta.dirname, 'kernel-peak.c'), options: [] }],
      [],
      compiler
    )
    const { stdout } = await run(target, [String(hiddenSize), String(intermediateSize)])
    return stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [kernel = '', tokenCount, multiplyAddsPerSecond] = line.split(' ')
        return { kernel, tokenCount: Number(tokenCount), multiplyAddsPerSecond: Number(multiplyAddsPerSecond) }
      })
  } finally {
    await rm(folder, { recursive: true })
  }
}
