/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createLocalEncoding } from '../app/encoding.ts'
import { runCommand } from '../cli/run-command.ts'

// Turns off onnxruntime's telemetry to its vendor, before any thread loads it.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

const interrupted = new AbortController()
// The default action would end the process while onnxruntime may be computing, which aborts with a core dump.
process.once('SIGINT', () => interrupted.abort())
process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  createEncoding: createLocalEncoding,
  signal: interrupted.signal
})
