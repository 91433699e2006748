/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { DELAYS, WORKER_SCALING } from './assumptions.ts'

/** Jobs that all come at once. */
export interface JobBurst {
  readonly jobCount: number
  /** How long one task works on one job. */
  readonly secondsPerJob: number
  /** @default those of prod; the same as the fewest for workers that do not scale */
  readonly maxTasks?: number
}

/** How a burst went. */
export interface BurstOutcome {
  readonly mostTasks: number
  readonly doneAfterSeconds: number
}

/**
 * Simulates the workers until a burst is done, second by second. Target tracking aims at a number of waiting jobs for
 * each task. After some minutes above it, it starts as many tasks as bring the backlog to the target, and again after
 * each cool-down.
 * @throws {RangeError} when a job takes no time
 */
export function simulateWorkers(burst: JobBurst): BurstOutcome {
  const { jobCount, secondsPerJob, maxTasks = WORKER_SCALING.maxTasks } = burst
  if (!(secondsPerJob > 0)) throw new RangeError('Cannot simulate the workers: want more than 0 seconds a job')
  const startedAt: number[] = Array.from({ length: WORKER_SCALING.minTasks }, () => 0)
  let left = jobCount
  let highMinutes = 0
  let mayGrowAt = 0
  let second = 0
  while (left > 1e-9) {
    second += 1
    const tasks = startedAt.filter((at) => at <= second).length
    left -= tasks / secondsPerJob
    if (second % 60 === 0) highMinutes = left / tasks > WORKER_SCALING.backlogPerTask ? highMinutes + 1 : 0
    if (highMinutes < DELAYS.trackingMinutes || second < mayGrowAt) continue
    const wanted = Math.min(maxTasks, Math.ceil(left / WORKER_SCALING.backlogPerTask))
    while (startedAt.length < wanted) startedAt.push(second + DELAYS.taskStartSeconds)
    mayGrowAt = second + WORKER_SCALING.outCooldownSeconds
  }
  return { mostTasks: startedAt.filter((at) => at <= second).length, doneAfterSeconds: second }
}
