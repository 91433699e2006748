/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The alert rules by Prometheus' own tool: their syntax, and for each alert a time at which it fires and one at which it does not.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findPromtool, type Promtool } from './promtool.ts'

const RULES = join(import.meta.dirname, '../../ops/prometheus-alerts.yaml')
const CASES = join(import.meta.dirname, 'prometheus-alerts.test.yaml')
const found = await findPromtool()
const isMissing = typeof found === 'string' && process.env['CI'] !== 'true'
const options = isMissing ? { skip: found } : {}

function promtool(): Promtool {
  if (typeof found === 'string') return assert.fail(found)
  return found
}

/** The rules with one thing changed, and the cases for them. @returns the file of the cases */
async function changed(t: TestContext, from: string | RegExp, to: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rules-'))
  t.after(() => rm(folder, { recursive: true }))
  const rules = await readFile(RULES, 'utf8')
  assert.notEqual(rules.replace(from, to), rules)
  await writeFile(join(folder, 'rules.yaml'), rules.replace(from, to))
  const cases = await readFile(CASES, 'utf8')
  await writeFile(join(folder, 'cases.yaml'), cases.replace('../../ops/prometheus-alerts.yaml', 'rules.yaml'))
  return join(folder, 'cases.yaml')
}

test('promtool takes the alert rules', options, async () => {
  await promtool()('check', 'rules', RULES)
})

test('each alert fires when it should, and not otherwise', options, async () => {
  await promtool()('test', 'rules', CASES)
})

test('a rule that fires too seldom or too often is found', options, async (t) => {
  await assert.rejects(promtool()('test', 'rules', await changed(t, '> 0.01', '> 0.03')), /ServiceAnswersErrors/)
  await assert.rejects(promtool()('test', 'rules', await changed(t, 'for: 2m', 'for: 0m')), /EncoderIsDown/)
})

test('every alert has a case in which it fires, and one in which it does not', async () => {
  const rules = await readFile(RULES, 'utf8')
  const cases = await readFile(CASES, 'utf8')
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
  const of = (pattern: RegExp) => new Set([...cases.matchAll(pattern)].map(([, name = '']) => name))
  assert.ok(alerts.length > 10)
  assert.deepEqual([...of(/alertname: (\w+)\n +exp_alerts:\n/g)].toSorted(), alerts.toSorted())
  assert.deepEqual([...of(/alertname: (\w+)\n +exp_alerts: \[\]/g)].toSorted(), alerts.toSorted())
})
