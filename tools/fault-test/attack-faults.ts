/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { ATTACKS, type Attack } from './attacks.ts'
import { CannotTry, seconds, type Fault, type Finding } from './fault.ts'
import { HealthWatch } from './health-watch.ts'
import { posted, residentBytes, type Lab, type Running } from './lab.ts'
import { MemoryGroup } from './memory-group.ts'

const MB = 1_048_576
const HEALTH_WITHIN_MS = 1000
const BACK_WITHIN_MS = 60_000
/** Memory may be as many times what it was before. */
const MAX_GROWTH = 1.25
/** The largest body that is taken, somewhat less than a sixteenth of the memory, or the setting. */
const bodyBytesOf = (limitBytes: number): number => Math.floor(Math.min(62 * MB, limitBytes / 16 - 8192))

/** Of one kind each, for the short run. */
const QUICK = new Set([0, 4])

function attackFault(attack: Attack, limitMb: number, isQuick: boolean): Fault {
  return {
    name: `attack within ${limitMb} MB: ${attack.name}`,
    isQuick,
    run: async (lab) => underAttack(lab, attack, limitMb * MB)
  }
}

async function underAttack(lab: Lab, attack: Attack, limitBytes: number): Promise<Finding> {
  const group = MemoryGroup.create(limitBytes)
  if (typeof group === 'string') throw new CannotTry(group)
  lab.after(async () => group[Symbol.dispose]())
  const running = await lab.start({ wrap: group.wrap })
  await ordinaryTraffic(running)
  const { pid } = running.service.child
  const beforeBytes = residentBytes(pid)
  const watch = await HealthWatch.start(running.origin)
  const statuses = await attack.run(running, bodyBytesOf(limitBytes))
  const health = await watch.stop()
  assert.equal(group.killCount, 0, 'the kernel ended the process for its memory')
  const { exitCode, signalCode } = running.service.child
  const lastWords = running.service.log.slice(-3).map((line) => JSON.stringify(line))
  assert.deepEqual([exitCode, signalCode], [null, null], `the process ended: ${lastWords.join('\n')}`)
  assert.equal(health.failedCount, 0, 'health was not answered')
  const worst = Math.round(health.worstMs)
  assert.ok(worst < HEALTH_WITHIN_MS, `health took ${worst} ms`)
  const backMs = await untilBack(pid, beforeBytes * MAX_GROWTH)
  const encoded = await running.ask('/v1/encode?query=still%20there')
  assert.equal(encoded.status, 200)
  return {
    seen: `${counted(statuses)}; health within ${worst} ms`,
    lost: 'nothing',
    recovery: `memory back after ${seconds(backMs)}, from ${Math.round(beforeBytes / MB)} MB before`
  }
}

async function untilBack(pid: number | undefined, wantedBytes: number): Promise<number> {
  const beganMs = performance.now()
  for (;;) {
    const bytes = residentBytes(pid)
    const tookMs = performance.now() - beganMs
    if (bytes <= wantedBytes) return tookMs
    const told = `${Math.round(bytes / MB)} MB, wanted ${Math.round(wantedBytes / MB)}`
    assert.ok(tookMs < BACK_WITHIN_MS, `memory is not back after a minute: ${told}`)
    await sleep(500)
  }
}

async function ordinaryTraffic({ ask }: Running): Promise<void> {
  for (let call = 0; call < 40; call += 1) {
    const sentences = Array.from({ length: 16 }, (_, index) => `call ${call} ${'and so on '.repeat(index * 4)}`)
    assert.equal((await ask('/v1/encode/multiple_encode', posted({ sentences }))).status, 200)
    assert.equal((await ask(`/v1/encode?query=call%20${call}`)).status, 200)
  }
  await sleep(1000)
}

/** `3 × 429, 1 × closed`. */
function counted(statuses: readonly number[]): string {
  const groups = Object.entries(Object.groupBy(statuses, (status) => (status === 0 ? 'closed' : String(status))))
  return groups.map(([status, all = []]) => `${all.length} × ${status}`).join(', ')
}

/** Every attack, at both limits. */
export const ATTACK_FAULTS: readonly Fault[] = [512, 2048].flatMap((limitMb) =>
  ATTACKS.map((attack, index) => attackFault(attack, limitMb, limitMb === 512 && QUICK.has(index)))
)
