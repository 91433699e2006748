/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Measures what this project claims, and writes docs/benchmarks.md and docs/benchmarks.svg from all results there are.
 *
 *     npm run bench                           every section but the soak: some 20 minutes, more while peers are installed
 *     npm run bench -- --soak                 with the soak
 *     npm run bench -- engine quality         these sections alone; the others are shown as they were last measured
 *     npm run bench -- --render               measures nothing
 *
 * A section is a program of this folder, which prints one JSON value; results are kept in .cache/bench/results.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { Value } from 'typebox/value'
import { describeMachine } from './measure/machine.ts'
import { ConcurrencySchema, renderConcurrencyPlot } from './report/concurrency.ts'
import { KeptResultSchema, renderDocument, type KeptResult } from './report/document.ts'
import { sectionsOf } from './report/sections.ts'

const ROOT = join(import.meta.dirname, '../..')
const RESULTS_FOLDER = join(ROOT, '.cache/bench/results')
const REPORT_PATH = join(ROOT, 'docs/benchmarks.md')
const PLOT_PATH = join(ROOT, 'docs/benchmarks.svg')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { soak: { type: 'boolean', default: false }, render: { type: 'boolean', default: false } }
})
const programs = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== basename(import.meta.filename))
  .map((file) => basename(file, '.ts'))
const sections = sectionsOf(programs)
const unknown = positionals.filter((name) => !programs.includes(name))
if (unknown.length > 0) {
  console.error(`bench: there is no section ${unknown.join(', ')}; there are: ${programs.join(', ')}`)
  process.exit(1)
}

mkdirSync(RESULTS_FOLDER, { recursive: true })
for (const { name, isOptional } of sections) {
  const isWanted =
    positionals.length === 0 ? !isOptional || (name === 'soak' && values.soak) : positionals.includes(name)
  if (!isWanted || values.render) continue
  try {
    keep(await measure(name))
  } catch (error) {
    console.error(`bench: ${name}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

const results = new Map(programs.flatMap((name) => readKept(name)).map((kept) => [kept.section, kept]))
const report = renderDocument(sections, results)
writeFileSync(REPORT_PATH, report)
const sweep = results.get('concurrency')?.result
if (Value.Check(ConcurrencySchema, sweep)) writeFileSync(PLOT_PATH, renderConcurrencyPlot(sweep))
console.log(report)

async function measure(section: string): Promise<KeptResult> {
  console.error(`bench: ${section}`)
  const machine = await describeMachine()
  const measuredAt = new Date().toISOString()
  const beganMs = performance.now()
  const child = spawn(process.execPath, [join(import.meta.dirname, `${section}.ts`)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  // The program ends its servers; a terminal's interrupt reaches it without help.
  const stop = (): void => {
    child.kill('SIGTERM')
    process.exit(1)
  }
  process.once('SIGTERM', stop)
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  process.off('SIGTERM', stop)
  if (code !== 0) throw new Error(`ended with status ${String(code)}`)
  const result: unknown = JSON.parse(output)
  return { section, measuredAt, seconds: (performance.now() - beganMs) / 1000, machine, result }
}

function keep(kept: KeptResult): void {
  writeFileSync(join(RESULTS_FOLDER, `${kept.section}.json`), `${JSON.stringify(kept, undefined, 2)}\n`)
}

/** What is kept of a section; nothing when there is none, or it was kept in another form. */
function readKept(section: string): KeptResult[] {
  let content: string
  try {
    content = readFileSync(join(RESULTS_FOLDER, `${section}.json`), 'utf8')
  } catch {
    return [] // Not measured yet.
  }
  const kept: unknown = JSON.parse(content)
  return Value.Check(KeptResultSchema, kept) ? [kept] : []
}
