/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createLocalEncoding } from '../app/encoding.ts'
import { runCommand } from '../cli/run-command.ts'

// Before any thread loads onnxruntime, which else reports its use to its maker.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

const interrupted = new AbortController()
// Not the default action: onnxruntime may be computing.
process.once('SIGINT', () => interrupted.abort())
process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  createEncoding: createLocalEncoding,
  signal: interrupted.signal
})
