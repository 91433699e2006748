/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Usage: node tools/compile-model/main.ts [folder of the model]
// Compiles <folder>/source into <folder>/compiled; does nothing when that is up to date.

import { join } from 'node:path'
import { compileModel } from './compile.ts'

const folder = process.argv[2] ?? join(import.meta.dirname, '../../models/all-MiniLM-L6-v2')
const target = join(folder, 'compiled')
try {
  const startMs = performance.now()
  await compileModel(join(folder, 'source'), target, (line) => {
    console.log(`compile-model: ${line} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`)
  })
  console.log(`compile-model: ${target} is up to date`)
} catch (error) {
  console.error(`compile-model: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
