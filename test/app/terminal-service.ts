/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Why there is no terminal to test with; false when there is one. */
export const NO_TERMINAL =
  process.platform === 'linux' && existsSync('/usr/bin/script') ? false : 'script of util-linux is not installed'

/** The service with a stand-in for the model. */
const ENTRY = fileURLToPath(new URL('service-stand-in.ts', import.meta.url))

/** What Ctrl-C sends. */
export const CTRL_C = '\u0003'
/** How long a process may take to end by Ctrl-C. */
const PATIENCE_MS = 10_000

/** A process at a terminal of 80 columns. */
export interface AtTerminal {
  /** All that the terminal was sent, once it matches; fails when the process ends before. */
  shown(pattern: RegExp): Promise<string>
  /** Types at its keyboard. */
  type(text: string): void
  readonly exited: Promise<number | null>
}

/** Runs the service at a terminal, by `script`, on a free port and over a folder of its own; it is killed after the test. */
export function startAtTerminal(t: TestContext, env: Record<string, string>): AtTerminal {
  const folder = mkdtempSync(join(tmpdir(), 'terminal-'))
  const command = `stty cols 80 rows 24; exec "${process.execPath}" "${ENTRY}"`
  const child = spawn('/usr/bin/script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm-256color', PORT: '0', DATA_DIR: join(folder, 'data'), ...env },
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.after(async () => {
    child.stdin.write(CTRL_C)
    const kill = setTimeout(() => child.kill('SIGTERM'), PATIENCE_MS)
    await exited
    clearTimeout(kill)
    rmSync(folder, { recursive: true })
  })
  let output = ''
  const news = new EventTarget()
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString()
    news.dispatchEvent(new Event('output'))
  })
  let hasEnded = false
  const exited = once(child, 'close').then(([code]): number | null => {
    hasEnded = true
    news.dispatchEvent(new Event('output'))
    return code
  })
  return {
    async shown(pattern) {
      while (!pattern.test(output)) {
        assert.ok(!hasEnded, `ended without ${String(pattern)}: ${output}`)
        await once(news, 'output')
      }
      return output
    },
    type: (text) => child.stdin.write(text),
    exited
  }
}
