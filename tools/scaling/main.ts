/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Measures the service on this machine and writes docs/scaling.md and docs/scaling.svg from it: how a stage would follow a spike, and what
 * encodes would cost.
 *
 *     npm run scaling                 measures, half a minute
 *     npm run scaling -- --bench      takes the curve that `make bench` measured last
 *     npm run scaling -- --render     computes again from what docs/scaling.md says was measured
 */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs, promisify } from 'node:util'
import { Value } from 'typebox/value'
import { describeMachine, type Machine } from '../bench/measure/machine.ts'
import { ConcurrencySchema } from '../bench/report/concurrency.ts'
import { KeptResultSchema } from '../bench/report/document.ts'
import { measurementIn, scalingDocument, scalingPlot, type ScalingMeasurement } from './document.ts'

const ROOT = join(import.meta.dirname, '../..')
const DOCUMENT = join(ROOT, 'docs/scaling.md')
const CONCURRENCY = join(ROOT, 'tools/bench/concurrency.ts')
const BENCHMARK = join(ROOT, '.cache/bench/results/concurrency.json')
/** Our service with all settings at their defaults. */
const OURS = 'ours-int8'
const run = promisify(execFile)

async function measure(): Promise<ScalingMeasurement> {
  const machine = await describeMachine()
  const measuredAt = new Date().toISOString()
  const { stdout } = await run(process.execPath, [CONCURRENCY, '--only', OURS], { maxBuffer: 1 << 24 })
  return measurementOf(machine, measuredAt, JSON.parse(stdout))
}

async function lastBenchmark(): Promise<ScalingMeasurement> {
  const kept: unknown = JSON.parse(await readFile(BENCHMARK, 'utf8'))
  if (!Value.Check(KeptResultSchema, kept))
    throw new Error(`Cannot read ${BENCHMARK}: want what make bench keeps there`)
  return measurementOf(kept.machine, kept.measuredAt, kept.result)
}

function measurementOf(machine: Machine, measuredAt: string, result: unknown): ScalingMeasurement {
  const ours = Value.Check(ConcurrencySchema, result) ? result.servers.find(({ name }) => name === OURS) : undefined
  if (!Value.Check(ConcurrencySchema, result) || ours === undefined)
    throw new Error('Cannot read what the load test printed: it has no curve of ours')
  const at = `${measuredAt.slice(0, 16).replace('T', ' ')} UTC`
  return { machine, measuredAt: at, secondsPerCase: result.secondsPerCase, curve: ours.points }
}

const { values } = parseArgs({
  options: { bench: { type: 'boolean', default: false }, render: { type: 'boolean', default: false } }
})
let measurement: ScalingMeasurement
if (values.render) measurement = measurementIn(await readFile(DOCUMENT, 'utf8'))
else measurement = values.bench ? await lastBenchmark() : await measure()
await writeFile(DOCUMENT, scalingDocument(measurement))
await writeFile(join(ROOT, 'docs/scaling.svg'), scalingPlot(measurement.curve))
process.stdout.write('Wrote docs/scaling.md and docs/scaling.svg\n')
