/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { SIZES, costTable, costsOf } from '../../../tools/aws-cost/cost.ts'
import list from '../../../tools/aws-cost/prices.json' with { type: 'json' }

/** Cells alone: the formatter pads the table of the document. */
function cellsOf(table: string): string[] {
  return table.split('\n').map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim().replace(/^-+(:?)$/, '-$1'))
      .join('|')
  )
}

test('costsOf() counts an instance by its hours and its disk', () => {
  const [size] = SIZES
  assert(size !== undefined)
  const { dollars } = list.prices.devInstance
  const expected = list.hoursPerMonth * dollars + 20 * list.prices.disk.dollars
  assert(Math.abs((costsOf(size)['web tier'] ?? 0) - expected) < 1e-9)
  const twice = costsOf({ ...size, instances: 2 })['web tier'] ?? 0
  assert(Math.abs(twice - 2 * expected) < 1e-9)
})

test('docs/deploy.md shows the table as it is computed', async () => {
  const document = cellsOf(await readFile(new URL('../../../docs/deploy.md', import.meta.url), 'utf8'))
  for (const line of cellsOf(costTable())) if (line !== '') assert(document.includes(line), line)
})

test('each price names its source', () => {
  for (const [name, { source }] of Object.entries(list.prices))
    assert(source.startsWith('https://aws.amazon.com/'), name)
})
