/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { assertAuditable, findingsOf, type Finding } from './findings.ts'

// Asks the registry for known vulnerabilities of runtime dependencies, which fail the audit, and of all other installed
// packages, which are only reported. When the registry does not answer, it says that nothing was audited; with
// REQUIRE_AUDIT=yes it then fails.
const ROOT = join(import.meta.dirname, '../..')
const FAILING = new Set(['high', 'critical'])
const DEADLINE_MS = 60_000

/** What npm says, as JSON: its status is 1 for findings and for failures alike. */
async function npmAudit(...args: string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const options = { cwd: ROOT, maxBuffer: 1 << 26, timeout: DEADLINE_MS }
  execFile(
    'npm',
    ['audit', '--json', '--package-lock-only', '--fetch-retries=1', ...args],
    options,
    (error, stdout) => {
      if (stdout.trim() === '') reject(error ?? new Error('npm says nothing'))
      else resolve(stdout)
    }
  )
  return promise
}

function tell(title: string, findings: readonly Finding[]): void {
  process.stdout.write(`${title}: ${findings.length === 0 ? 'no known vulnerability' : findings.length}\n`)
  for (const { name, severity, titles } of findings)
    process.stdout.write(`  ${severity}: ${name}: ${titles.join('; ')}\n`)
}

try {
  const delivered = findingsOf(assertAuditable(await npmAudit('--omit=dev')))
  const names = new Set(delivered.map(({ name }) => name))
  const others = findingsOf(assertAuditable(await npmAudit())).filter(({ name }) => !names.has(name))
  tell('What runs', delivered)
  tell('What only builds and tests', others)
  process.exitCode = delivered.some(({ severity }) => FAILING.has(severity)) ? 1 : 0
} catch (error) {
  const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
  process.stderr.write(`NOT AUDITED: the registry tells nothing of known vulnerabilities: ${reason}\n`)
  process.exitCode = process.env['REQUIRE_AUDIT'] === 'yes' ? 1 : 0
}
