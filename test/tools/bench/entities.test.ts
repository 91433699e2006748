/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { Value } from 'typebox/value'
import { entities, EntitiesResultSchema } from '../../../tools/bench/report/entities.ts'

test('the program of the section entities prints one JSON value, which the report shows with a line for all types', async () => {
  const program = join(import.meta.dirname, '../../../tools/bench/entities.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  const result = Value.Parse(EntitiesResultSchema, JSON.parse(stdout))
  assert.deepEqual(
    result.halves.map(({ half, sentenceCount }) => [half, sentenceCount]),
    [
      ['tuning', 50],
      ['held-out', 50]
    ]
  )
  assert.match(entities.render(result) ?? '', /^\| this service \| all \| 71 \| 0\.\d\d \| 0\.\d\d \| 0\.\d\d \|$/m)
})

test('the section entities shows a dash for the precision of who found nothing', () => {
  const types = [{ type: 'family', right: 0, wrong: 0, missed: 4 }]
  const result = {
    halves: [{ half: 'one', sentenceCount: 3, extractors: [{ name: 'a', types }] }],
    msPerSentence: 1.24
  }
  const shown = entities.render(result) ?? ''
  assert.match(shown, /^3 sentences \(one\):\n\n/)
  assert.match(shown, /^\| a \| family \| 4 \| - \| 0\.00 \| 0\.00 \|\n\| a \| all \| 4 \| - \| 0\.00 \| 0\.00 \|$/m)
  assert.match(shown, /A sentence takes 1\.2 ms/)
  assert.equal(entities.render({ halves: [] }), undefined)
})
