/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ERROR_STATUS } from '../../src/errors.ts'
import { toErrorReply } from '../../src/server/error-reply.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')

test('docs/errors.md has every code with its status, what happened and what to do', () => {
  const rows = [...PAGE.matchAll(/^\| `([A-Z_]+)` +\| (\d+) +\| (.+?) +\| (.+?) +\|$/gm)]
  const { code, statusCode } = toErrorReply(new Error('a bug')).body
  const codes = [...Object.entries(ERROR_STATUS), [code, statusCode] as const]
  const byStatus = codes.toSorted(([a, first], [b, second]) => first - second || a.localeCompare(b))
  assert.deepEqual(
    rows.map(([, name, status]) => [name, Number(status)]),
    byStatus
  )
  for (const [row, , , happened = '', todo = ''] of rows) {
    assert.ok(happened.endsWith('.') && todo.endsWith('.'), row)
  }
})
