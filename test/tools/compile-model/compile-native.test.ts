/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileNative, findNativeSupport } from '../../../tools/compile-model/compile-native.ts'
import { packWeights } from '../../../tools/compile-model/packed-weights.ts'
import { openSourceModel } from '../../../tools/compile-model/source-model.ts'
import { modelPath } from '../../model-path.ts'

const FEATURES = ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq', 'avx512_vnni', 'fma', 'f16c']
const cpu = { architecture: 'x64', model: 'as told', features: new Set(FEATURES) }

test('findNativeSupport() says why there is none', async () => {
  if (process.platform === 'linux') {
    assert.deepEqual(await findNativeSupport('no-such-compiler', cpu), {
      isThere: false,
      reason: 'there is no C compiler (no-such-compiler); on Debian: apt install gcc libc6-dev'
    })
    // Any program that tells its version passes for a compiler.
    const found = await findNativeSupport(process.execPath, cpu)
    assert.deepEqual(found, { isThere: true, compiler: process.version })
  }
  assert.equal((await findNativeSupport(process.execPath, { ...cpu, features: new Set() })).isThere, false)
})

test('compileNative() tells what the compiler said, and how to do without', async () => {
  await assert.rejects(
    compileNative(join(tmpdir(), 'never-made.node'), process.execPath),
    /Cannot compile the native encoder \(CC=none does without it\): .*bad option/s
  )
})

test('packWeights() refuses sizes that the kernels do not take', async () => {
  const model = await openSourceModel(join(modelPath, 'source'))
  for (const [odd, problem] of [
    [{ hiddenSize: 380 }, /the hidden size is 380, wanted a multiple of 64/],
    [{ intermediateSize: 1500 }, /the intermediate size is 1500, wanted a multiple of 64/],
    [{ headCount: 24 }, /the head size is 16, wanted a multiple of 32/]
  ] as const) {
    assert.throws(() => packWeights({ ...model, ...odd }, new Map(), 1), problem)
  }
  assert.throws(() => packWeights(model, new Map(), 1), /it was not calibrated/)
})
