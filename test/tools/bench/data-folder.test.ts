/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataFolder } from '../../../tools/bench/measure/data-folder.ts'

test('dataFolder() is where BENCH_DATA says, and tells how to get what is not there', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-data-'))
  const before = process.env['BENCH_DATA']
  t.after(() => {
    if (before === undefined) delete process.env['BENCH_DATA']
    else process.env['BENCH_DATA'] = before
    rmSync(folder, { recursive: true })
  })
  process.env['BENCH_DATA'] = folder
  mkdirSync(join(folder, 'banking77'))
  assert.equal(dataFolder('banking77'), join(folder, 'banking77'))
  assert.throws(() => dataFolder('hint3'), /There is no .*hint3: BENCH_DATA, .*github\.com\/hellohaptik\/HINT3/)
})
