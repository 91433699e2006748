/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DiskSchedule } from './disk-schedule.ts'
import { FleetSchedule } from './fleet-schedule.ts'

/** A kind of schedule: what it is called, how to run it from a seed, and how many of it go into a run of a hundred. */
export interface ScheduleKind {
  readonly name: string
  readonly percent: number
  readonly run: (seed: number) => void | Promise<void>
}

/** One machine and its disk; and a fleet of machines with a table and a queue, which costs some fifteen times as much. */
export const KINDS: readonly ScheduleKind[] = [
  { name: 'disk', percent: 75, run: (seed) => new DiskSchedule(seed).run() },
  { name: 'fleet', percent: 25, run: async (seed) => new FleetSchedule(seed).run() }
]

/** What to run. */
export interface Simulation {
  readonly kinds: readonly ScheduleKind[]
  readonly scheduleCount: number
  /** The first seed; each schedule has the next one. */
  readonly seed: number
}

/**
 * Runs schedules one after another, up to the first that breaks a promise.
 * @returns how many of each kind were run
 * @throws Error with the command that runs the schedule at fault again; its cause is what was broken
 */
export async function simulate({ kinds, scheduleCount, seed: firstSeed }: Simulation): Promise<Map<string, number>> {
  const counts = new Map(kinds.map(({ name }) => [name, 0]))
  const percents = kinds.reduce((sum, { percent }) => sum + percent, 0)
  for (const { name, percent, run } of kinds) {
    const count = Math.ceil((scheduleCount * percent) / percents)
    for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
      try {
        await run(seed)
      } catch (cause) {
        const command = `npm run simulate-jobs -- --kind ${name} --schedules 1 --seed ${seed}`
        throw new Error(`A schedule broke a promise of the job engine. To run it again: ${command}`, { cause })
      }
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return counts
}
