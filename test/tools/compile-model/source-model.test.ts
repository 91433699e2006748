/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSourceModel } from '../../../tools/compile-model/source-model.ts'
import { safetensorsFile, TINY_CONFIG, tinyTensors, writeTinyModel } from './tiny-model.ts'

test('openSourceModel() reads sizes, limits and tensors', async (t) => {
  const model = await openSourceModel(await writeTinyModel(t))
  assert.deepEqual([model.hiddenSize, model.headCount, model.layerCount, model.maxTokens], [8, 2, 1, 10])
  const wanted = tinyTensors().get('encoder.layer.0.output.dense.bias')
  assert.deepEqual(model.tensor('encoder.layer.0.output.dense.bias'), wanted)
})

test('openSourceModel() finds tensors that a checkpoint keeps under "bert."', async (t) => {
  const folder = await writeTinyModel(t)
  const prefixed = new Map([...tinyTensors()].map(([name, tensor]) => [`bert.${name}`, tensor]))
  await writeFile(join(folder, 'model.safetensors'), safetensorsFile(prefixed))
  const model = await openSourceModel(folder)
  assert.deepEqual(model.tensor('embeddings.LayerNorm.bias'), tinyTensors().get('embeddings.LayerNorm.bias'))
})

for (const [what, changes, problem] of [
  ['another architecture', { 'config.json': { ...TINY_CONFIG, model_type: 'roberta' } }, /\/model_type must be equal/],
  ['another activation', { 'config.json': { ...TINY_CONFIG, hidden_act: 'relu' } }, /\/hidden_act must be equal/],
  ['sizes that are none', { 'config.json': { ...TINY_CONFIG, hidden_size: 0 } }, /\/hidden_size must be >= 1/],
  [
    'another pooling',
    { '1_Pooling/config.json': { pooling_mode_max_tokens: true } },
    /pooling is pooling_mode_max_tokens/
  ],
  ['no pooling', { '1_Pooling/config.json': {} }, /pooling is not given/]
] as const) {
  test(`openSourceModel() refuses ${what}, and says what was found`, async (t) => {
    await assert.rejects(openSourceModel(await writeTinyModel(t, changes)), problem)
  })
}

test('a safetensors file that is cut, or no such file, is refused', async (t) => {
  const folder = await writeTinyModel(t)
  const path = join(folder, 'model.safetensors')
  const whole = await readFile(path)
  await writeFile(path, whole.subarray(0, whole.length - 4))
  const model = await openSourceModel(folder)
  assert.throws(() => model.tensor('encoder.layer.0.output.LayerNorm.bias'), /wants 32 bytes/)
  assert.throws(() => model.tensor('no.such.tensor'), /does not hold it/)
  await writeFile(path, whole.subarray(0, 100))
  await assert.rejects(openSourceModel(folder), /its header is \d+ bytes long, the whole file 100/)
  await writeFile(path, '')
  await assert.rejects(openSourceModel(folder), /the whole file 0/)
})
