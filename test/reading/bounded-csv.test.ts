/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertCsvFits } from '../../src/reading/bounded-csv.ts'

const CELLS = 1000
/** What so many cells take at least. */
const HEAP_BYTES = CELLS * 32

test('assertCsvFits() counts the cells of every separator and line end that tables are read with, in any charset', () => {
  for (const separator of [',', ';', '\t', '|', '\n', '\r', 'sep=x\nx', '\uFEFF"sep=x"\r\nx', '\uFEFFsep=д\nд']) {
    const cells = separator.slice(0, -1) + separator.slice(-1).repeat(CELLS)
    for (const bytes of [Buffer.from(cells), Buffer.from(cells, 'utf16le'), Buffer.from(cells, 'utf16le').swap16()]) {
      assert.throws(() => assertCsvFits(bytes, HEAP_BYTES), {
        code: 'PAYLOAD_TOO_LARGE',
        message: /its CSV would take some \d+ bytes of memory, at most 32000 are allowed/
      })
    }
  }
  assertCsvFits(Buffer.from(`sep=x\n${'a'.repeat(CELLS)}`), HEAP_BYTES)
  assertCsvFits(Buffer.from(','.repeat(CELLS)), undefined)
})
