/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { modelPath } from '../fixtures/model-path.ts'

const MAIN = join(import.meta.dirname, '../../src/bin/cli.ts')

test('the program trains texts with the real model, predicts by it, and ends with the status of the command', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cli-'))
  t.after(() => rm(folder, { recursive: true }))
  const env = {
    PATH: process.env['PATH'],
    DATA_DIR: join(folder, 'data'),
    MODEL_DIR: join(modelPath, 'compiled'),
    ENCODE_WORKERS: '1'
  }
  const run = async (...args: string[]) => promisify(execFile)(process.execPath, [MAIN, ...args], { env })
  const table = join(folder, 'data.csv')
  const places = ['Paris', 'Rome', 'Oslo', 'Lima'].map((place) => `how is the weather in ${place},weather`)
  const dishes = ['soup', 'bread', 'rice', 'cake'].map((dish) => `how do I cook ${dish},food`)
  await writeFile(table, ['text,label', ...places, ...dishes].join('\n'))
  await run('train', table, '--name', 'topics')
  const rows = join(folder, 'rows.csv')
  await writeFile(rows, 'text\nwill it rain in Berlin\na recipe for pancakes\n')
  const { stdout } = await run('predict', rows, '--name', 'topics', '--json')
  assert.equal(stdout, '{"class":["weather","food"]}\n')
  await assert.rejects(run('evaluate', '--name', 'topics', '--min-accuracy', '1', '--max-calibration-error', '0'), {
    code: 1
  })
  env.MODEL_DIR = folder
  await assert.rejects(run('evaluate', '--name', 'topics'), {
    code: 2,
    stderr: `Cannot load the model: ${folder}/model.json is not there; run "make download-models"\n`
  })
})
