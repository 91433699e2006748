/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import { canRunNative, detectCpu } from '../../src/embedding/cpu.ts'
import { hasNative, readModelDescription } from '../../src/embedding/model-files.ts'
import { modelPath } from '../model-path.ts'

/** Whether the native encoder is there and can run; where it cannot, says that its tests are left out. */
export async function canTestNative(): Promise<boolean> {
  const description = await readModelDescription(join(modelPath, 'compiled'))
  if (hasNative(description) && canRunNative(detectCpu())) return true
  process.stderr.write(
    'The native encoder: its tests are left out: this machine has no compiler for it, or no such CPU\n'
  )
  return false
}
