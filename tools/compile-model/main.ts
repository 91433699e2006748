/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Usage: node tools/compile-model/main.ts [folder of the model [folder of the sentence lists]]
// Compiles the native encoder for this platform, then <folder>/source into <folder>/compiled; what is up to date is kept.

import { join } from 'node:path'
import { NATIVE_FOLDER } from '../../src/embedding/native-program.ts'
import { buildNativeProgram } from './compile-native.ts'
import { compileModel } from './compile.ts'

const [folder = join(import.meta.dirname, '../../models/all-MiniLM-L6-v2'), lists] = process.argv.slice(2)
const target = join(folder, 'compiled')
try {
  const startMs = performance.now()
  const report = (line: string): void => {
    console.log(`compile-model: ${line} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`)
  }
  const native = await buildNativeProgram(NATIVE_FOLDER, report)
  if (!native.isThere) report(`int8 is left out, and fp32 is several times slower: ${native.reason}`)
  await compileModel(join(folder, 'source'), target, native, report, lists)
  console.log(`compile-model: ${target} is up to date`)
} catch (error) {
  console.error(`compile-model: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
