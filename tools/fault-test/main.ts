/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../bench/measure/machine.ts'
import { Random } from '../simulate-jobs/random.ts'
import { ATTACK_FAULTS } from './attack-faults.ts'
import { DISK_FAULTS } from './disk-faults.ts'
import { CannotTry, seconds, type Fault, type Finding } from './fault.ts'
import { GRAPHQL_FAULTS } from './graphql-faults.ts'
import { KILL_FAULTS } from './kill-faults.ts'
import { Lab } from './lab.ts'
import { MACHINE_FAULTS } from './machine-faults.ts'
import { reliabilityPage, type Tried } from './report.ts'

/*
 * Lets everything go wrong that can, with the real process and the real model, and holds what is promised against it.
 *   npm run fault-test -- [--seed 1] [--quick] [--within seconds] [--only words of a name] [--write]
 * After `--within` no other fault is begun.
 */
const FAULTS: readonly Fault[] = [
  ...KILL_FAULTS,
  ...MACHINE_FAULTS,
  ...DISK_FAULTS,
  ...GRAPHQL_FAULTS,
  ...ATTACK_FAULTS
]

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
const skippedCount = tried.filter(({ outcome }) => 'skipped' in outcome).length
const failedCount = tried.filter(({ outcome }) => 'failure' in outcome).length
if (write)
  await writeFile(
    join(import.meta.dirname, '../../docs/reliability.md'),
    reliabilityPage(tried, { seed, machine: await describeMachine() })
  )
process.stdout.write(
  `${tried.length} faults, ${skippedCount} skipped, ${failedCount} broken promises, from seed ${seed}\n`
)
if (tried.length === skippedCount) console.error('fault-test: no fault was tried')
// Nothing was proven where nothing was tried.
process.exitCode = failedCount > 0 || tried.length === skippedCount ? 1 : 0

async function attempt({ run }: Fault): Promise<Tried['outcome']> {
  if (performance.now() > endMs) return { skipped: 'the time was over' }
  try {
    await using lab = new Lab(new Random(seed))
    return await run(lab, quick)
  } catch (error) {
    if (error instanceof CannotTry) return { skipped: error.message }
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function told(outcome: Tried['outcome']): string {
  if ('skipped' in outcome) return `SKIPPED: ${outcome.skipped}`
  if ('failure' in outcome) return `FAILED: ${outcome.failure}`
  const { seen, lost, recovery }: Finding = outcome
  return `seen: ${seen}\n  lost: ${lost}\n  recovery: ${recovery}`
}
