/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  GROUP,
  PANEL_COLUMNS,
  SIZE_MULTIPLE,
  packFloatWeights,
  packWeights,
  problemOfSizes
} from '../../../tools/compile-model/packed-weights.ts'
import { openSourceModel } from '../../../tools/compile-model/source-model.ts'
import { modelPath } from '../../fixtures/model-path.ts'

test('packWeights() and packFloatWeights() refuse sizes that the kernels do not take', async () => {
  const model = await openSourceModel(join(modelPath, 'source'))
  assert.equal(problemOfSizes(model), undefined)
  for (const [odd, problem] of [
    [{ hiddenSize: 380 }, /the hidden size is 380, wanted a multiple of 64/],
    [{ intermediateSize: 1500 }, /the intermediate size is 1500, wanted a multiple of 64/],
    [{ headCount: 24 }, /the head size is 16, wanted a multiple of 32/]
  ] as const) {
    assert.match(problemOfSizes({ ...model, ...odd }) ?? '', problem)
    assert.throws(() => packWeights({ ...model, ...odd }, []), problem)
    assert.throws(() => packFloatWeights({ ...model, ...odd }), problem)
  }
})

test('weights are packed as the kernels read them', async () => {
  const header = await readFile(new URL('../../../src/embedding/native/kernels.h', import.meta.url), 'utf8')
  const defined = (name: string): number => Number(new RegExp(`^#define ${name} (\\d+)$`, 'm').exec(header)?.[1])
  assert.deepEqual(
    { LANES: PANEL_COLUMNS, GROUP, SIZE_MULTIPLE },
    { LANES: defined('LANES'), GROUP: defined('GROUP'), SIZE_MULTIPLE: defined('SIZE_MULTIPLE') }
  )
})
