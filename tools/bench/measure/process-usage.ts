/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readdirSync, readFileSync } from 'node:fs'

/** CPU time and memory of the processes of a group. */
export interface ProcessUsage {
  readonly cpuSeconds: number
  /** Sum over the processes; pages that they share count once for each. */
  readonly rssBytes: number
}

/** Linux counts processor time in hundredths of a second towards programs, whatever its own clock is (`USER_HZ`). */
const TICKS_PER_SECOND = 100

/** Sums up a process group: a server with all that it started. Linux only. */
export function groupUsage(processGroup: number): ProcessUsage {
  let ticks = 0
  let rssBytes = 0
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const stat = readIfThere(`/proc/${pid}/stat`)
    // The name, in parentheses, may itself hold spaces and parentheses; fields count from the one after it, the state.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(fields?.[2]) !== processGroup) continue
    ticks += Number(fields?.[11]) + Number(fields?.[12])
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1]
    rssBytes += Number(kilobytes ?? 0) * 1024
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes }
}

/** Processor time that the whole machine has spent on anything since it started, in seconds over all cores. Linux only. */
export function machineCpuSeconds(): number {
  const line = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line?.split(' ').map(Number) ?? []
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // It has ended since the folder was listed.
  }
}
