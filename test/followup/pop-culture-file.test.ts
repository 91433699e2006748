/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPopCulture } from '../../src/followup/pop-culture-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

test('readPopCulture() reads a list, and says of one that it cannot read which setting is wrong', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'names.txt')
  await writeFile(path, 'Star Trek\n')
  assert.ok(readPopCulture(path).has('star trek'))
  assert.ok(!readPopCulture(undefined).has('star trek'))
  assert.throws(() => readPopCulture(join(folder, 'none.txt')), /POP_CULTURE_FILE: cannot be read \(ENOENT\)/)
  await writeFile(path, 'x'.repeat(1_048_577))
  assert.throws(() => readPopCulture(path), /POP_CULTURE_FILE: 1048577 bytes, at most 1048576/)
})
