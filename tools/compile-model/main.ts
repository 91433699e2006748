/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Usage: node tools/compile-model/main.ts [folder of the model [folder of the sentence lists]]
// Compiles the native encoder for this platform, then <folder>/source into <folder>/compiled; what is up to date is kept.
// Processes that do this at the same time take turns: of two that rename a folder to the same name, one fails.

import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { withLockFile } from '../download-models/lock-file.ts'
import { NATIVE_FOLDER } from '../../src/embedding/native-program.ts'
import { buildNativeProgram } from './compile-native.ts'
import { compileModel } from './compile.ts'

const [folder = join(import.meta.dirname, '../../models/all-MiniLM-L6-v2'), lists] = process.argv.slice(2)
const source = join(folder, 'source')
const target = join(folder, 'compiled')

async function compile(): Promise<void> {
  const startMs = performance.now()
  const report = (line: string): void => {
    console.log(`compile-model: ${line} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`)
  }
  const native = await buildNativeProgram(NATIVE_FOLDER, report)
  if (!native.isThere) report(`int8 is left out, and fp32 is several times slower: ${native.reason}`)
  await compileModel(source, target, native, report, lists)
  console.log(`compile-model: ${target} is up to date`)
}

function onWait(): void {
  console.log('compile-model: another process is compiling: waiting for it')
}

try {
  const isWritable = await access(source, constants.W_OK).then(
    () => true,
    () => false
  )
  // Where nothing can be written nothing is compiled either, at most found to be up to date.
  if (isWritable)
    await withLockFile(join(source, '.compile-lock'), { signal: new AbortController().signal, onWait }, compile)
  else await compile()
} catch (error) {
  console.error(`compile-model: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
