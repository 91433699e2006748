/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync } from 'node:fs'
import os from 'node:os'

/** Reads a text file; undefined when there is none. */
export type ReadText = (path: string) => string | undefined

/**
 * Number of whole cores that this process may use: the machine's, or fewer under a container's CPU quota, at least one.
 * With more threads the quota would throttle them in the middle of a batch.
 * Source: the kernel's documentation of cgroup v2 (`cpu.max`) and v1 (`cpu.cfs_quota_us`).
 */
export function usableCores(machineCores = os.availableParallelism(), read: ReadText = readIfThere): number {
  const quotas = cgroupFolders(read).flatMap(({ folder, version }) => {
    const [quota, period] =
      version === 2
        ? (read(`${folder}/cpu.max`)?.split(/\s+/) ?? [])
        : [read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)]
    const cores = Number(quota) / Number(period)
    return cores > 0 ? [cores] : [] // "max" and -1 are no limit.
  })
  return Math.max(1, Math.floor(Math.min(machineCores, ...quotas)))
}

/**
 * Folders with the limits of this process's cgroup and of the groups around it; in a container its own group is the
 * root.
 */
function cgroupFolders(read: ReadText): { folder: string; version: 1 | 2 }[] {
  const lines = read('/proc/self/cgroup')?.trim().split('\n') ?? []
  return lines.flatMap((line) => {
    const [, controllers = '', path = ''] = line.split(':')
    const isCpu = controllers.split(',').includes('cpu')
    if (controllers !== '' && !isCpu) return []
    const root = isCpu ? '/sys/fs/cgroup/cpu' : '/sys/fs/cgroup'
    const parts = path.split('/').filter((part) => part !== '')
    const version = isCpu ? 1 : 2
    return [...parts.keys(), parts.length].map((depth) => ({
      folder: [root, ...parts.slice(0, depth)].join('/'),
      version
    }))
  })
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
