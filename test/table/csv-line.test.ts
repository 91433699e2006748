/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { csvLine } from '../../src/table/csv-line.ts'
import { readCsv } from '../../src/table/csv-table.ts'

test('csvLine() quotes what would else be read as something else', () => {
  assert.equal(csvLine(['a', 'b, c', 'say "no"', '']), 'a,"b, c","say ""no""",\r\n')
  assert.equal(csvLine([' a', 'b\t', 'c\rd', 'e\nf']), '" a","b\t","c\rd","e\nf"\r\n')
  assert.equal(csvLine([';', "it's", 'ünï', '=1+1']), ";,it's,ünï,=1+1\r\n")
})

test('csvLine() writes what readCsv() reads back', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\r', '\n', ';', '\t', 'é', '1') })
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
      const kept = rows.map(([first, second]) => [`x${first}`, `${second}x`])
      const text = [['one', 'two'], ...kept].map(csvLine).join('')
      const { rows: read } = readCsv(Buffer.from(text), {
        wanted: ['one', 'two'],
        charset: undefined,
        action: 'predict'
      })
      assert.deepEqual(
        read.map(({ cells }) => cells),
        kept
      )
    })
  )
})
