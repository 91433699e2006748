/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { DELAYS, WEB_SCALING } from './assumptions.ts'

/** What the web tier scales on; `both` is the larger of the two shares, as terraform/scaling.tf has it. */
export type WebPolicy = 'requests' | 'cpu' | 'both'

/** A spike: a constant rate of requests from the first second to the end of the simulation. */
export interface WebSpike {
  /** Requests at the edge. */
  readonly requestsPerSecond: number
  /** The part of them that the edge answers from its cache, 0 to 1. */
  readonly cachedShare: number
  readonly policy: WebPolicy
  /** What one instance answers. */
  readonly capacity: number
  /** @default that of Terraform */
  readonly requestsPerTargetPerMinute?: number
  /** @default those of prod */
  readonly maxInstances?: number
  /** @default an hour */
  readonly seconds?: number
}

/** The tier in one second. */
export interface WebSecond {
  readonly instances: number
  readonly answeredPerSecond: number
  readonly refusedPerSecond: number
}

/**
 * Simulates the web tier from the beginning of a spike, second by second. An instance answers up to its capacity and refuses the rest at once
 * (429 or 503 with Retry-After), so that no queue outlives the spike. Each full minute is a data point, known a minute later; the tier grows by
 * half when enough of them in a row were above the target, at most once a cool-down; an instance counts when it has started.
 */
export function simulateWeb(spike: WebSpike): readonly WebSecond[] {
  const { capacity, maxInstances = WEB_SCALING.maxInstances, seconds = 3600 } = spike
  const missesPerSecond = spike.requestsPerSecond * (1 - spike.cachedShare)
  const startedAt: number[] = Array.from({ length: WEB_SCALING.minInstances }, () => 0)
  const loads: number[] = []
  const course: WebSecond[] = []
  let mayGrowAt = 0
  for (let second = 1; second <= seconds; second += 1) {
    const instances = startedAt.filter((at) => at <= second).length
    const answeredPerSecond = Math.min(missesPerSecond, instances * capacity)
    course.push({ instances, answeredPerSecond, refusedPerSecond: missesPerSecond - answeredPerSecond })
    if (second % 60 === 0) loads.push(loadOf(spike, missesPerSecond, instances))
    const known = loads.slice(0, Math.max(0, Math.floor((second - DELAYS.metricSeconds) / 60)))
    const isHigh =
      known.length >= WEB_SCALING.outAfterMinutes && known.slice(-WEB_SCALING.outAfterMinutes).every((load) => load > 1)
    if (!isHigh || second < mayGrowAt || startedAt.length >= maxInstances) continue
    const growth = Math.max(1, Math.floor((startedAt.length * WEB_SCALING.growthPercent) / 100))
    const added = Math.min(growth, maxInstances - startedAt.length)
    for (let index = 0; index < added; index += 1) startedAt.push(second + DELAYS.instanceStartSeconds)
    // A simple scaling policy's cool-down begins when the instances are in service.
    mayGrowAt = second + DELAYS.instanceStartSeconds + WEB_SCALING.outCooldownSeconds
  }
  return course
}

/** Load as terraform/scaling.tf has it: 1 is the target. Refused requests count as requests, and CPU ends at 100 %. */
function loadOf(spike: WebSpike, missesPerSecond: number, instances: number): number {
  const { policy, capacity, requestsPerTargetPerMinute = WEB_SCALING.requestsPerTargetPerMinute } = spike
  const requestShare = (missesPerSecond * 60) / instances / requestsPerTargetPerMinute
  const cpuShare = Math.min(100, (100 * missesPerSecond) / (instances * capacity)) / WEB_SCALING.cpuPercent
  return Math.max(policy === 'cpu' ? 0 : requestShare, policy === 'requests' ? 0 : cpuShare)
}

/** How a spike went. */
export interface WebOutcome {
  readonly instances: number
  /** Share of the requests at the edge that was refused. */
  readonly refusedShare: number
  /** Time of the last refused request; undefined when requests are still refused at the end. */
  readonly recoveredAfterSeconds: number | undefined
}

/** Sums up a course. */
export function outcomeOf({ requestsPerSecond }: WebSpike, course: readonly WebSecond[]): WebOutcome {
  const refused = course.reduce((sum, { refusedPerSecond }) => sum + refusedPerSecond, 0)
  const recovered = course.findLastIndex(({ refusedPerSecond }) => refusedPerSecond > 0) + 1
  return {
    instances: course.at(-1)?.instances ?? 0,
    refusedShare: refused / (requestsPerSecond * course.length),
    recoveredAfterSeconds: recovered < course.length ? recovered : undefined
  }
}
