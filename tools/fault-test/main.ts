/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../bench/measure/machine.ts'
import { Random } from '../simulate-jobs/random.ts'
import { ATTACK_FAULTS } from './attack-faults.ts'
import { AWS_SERVICE_FAULTS, endEmulators } from './aws-faults.ts'
import { DISK_FAULTS } from './disk-faults.ts'
import { CannotTry, seconds, type Fault, type Finding } from './fault.ts'
import { GRAPHQL_FAULTS } from './graphql-faults.ts'
import { KILL_FAULTS } from './kill-faults.ts'
import { Lab } from './lab.ts'
import { MACHINE_FAULTS } from './machine-faults.ts'
import { reliabilityPage, triedOf, type Tried } from './report.ts'

/*
 * Lets everything go wrong that can, with the real process and the real model, and holds what is promised against it.
 *   npm run fault-test -- [--seed 1] [--quick] [--within seconds] [--only words of a name] [--write]
 * After `--within` no other fault is begun. `--write` leaves the rows of faults that were not tried as they are.
 */
const FAULTS: readonly Fault[] = [
  ...KILL_FAULTS,
  ...MACHINE_FAULTS,
  ...DISK_FAULTS,
  ...GRAPHQL_FAULTS,
  ...AWS_SERVICE_FAULTS,
  ...ATTACK_FAULTS
]

const OUT_OF_TIME = 'the time was over'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    within: { type: 'string', default: '7200' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false }
  }
})
const { quick, only, write } = values
const endMs = performance.now() + Number(values.within) * 1000
const seed = Number(values.seed)
const tried: Tried[] = []
for (const fault of FAULTS.filter(({ name, isQuick }) => name.includes(only) && (isQuick || !quick))) {
  const beganMs = performance.now()
  const outcome = await attempt(fault)
  tried.push({ name: fault.name, outcome })
  process.stdout.write(`${fault.name} (${seconds(performance.now() - beganMs)})\n  ${told(outcome)}\n`)
}
await endEmulators()
const skippedCount = tried.filter(({ outcome }) => 'skipped' in outcome).length
const failedCount = tried.filter(({ outcome }) => 'failure' in outcome).length
if (write) {
  const page = join(import.meta.dirname, '../../docs/reliability.md')
  const earlier = new Map(triedOf(await readFile(page, 'utf8')).map((each) => [each.name, each]))
  const now = new Map(tried.filter(({ outcome }) => !isOutOfTime(outcome)).map((each) => [each.name, each]))
  const all = FAULTS.flatMap(({ name }) => now.get(name) ?? earlier.get(name) ?? [])
  await writeFile(page, reliabilityPage(all, { seed, machine: await describeMachine() }))
}
process.stdout.write(
  `${tried.length} faults, ${skippedCount} skipped, ${failedCount} broken promises, from seed ${seed}\n`
)
if (tried.length === skippedCount) console.error('fault-test: no fault was tried')
// Nothing was proven where nothing was tried.
process.exitCode = failedCount > 0 || tried.length === skippedCount ? 1 : 0

async function attempt({ run }: Fault): Promise<Tried['outcome']> {
  if (performance.now() > endMs) return { skipped: OUT_OF_TIME }
  try {
    await using lab = new Lab(new Random(seed))
    return await run(lab, quick)
  } catch (error) {
    if (error instanceof CannotTry) return { skipped: error.message }
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function isOutOfTime(outcome: Tried['outcome']): boolean {
  return 'skipped' in outcome && outcome.skipped === OUT_OF_TIME
}

function told(outcome: Tried['outcome']): string {
  if ('skipped' in outcome) return `SKIPPED: ${outcome.skipped}`
  if ('failure' in outcome) return `FAILED: ${outcome.failure}`
  const { seen, lost, recovery }: Finding = outcome
  return `seen: ${seen}\n  lost: ${lost}\n  recovery: ${recovery}`
}
