/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import type { ReadText } from '../embedding/usable-cores.ts'

const CGROUP_ROOT = '/sys/fs/cgroup'

/**
 * The memory beyond which the kernel kills this process: the smallest limit of its control groups and their parents, of
 * version 2 (`memory.max`) or 1 (`memory.limit_in_bytes`), or else the machine's memory.
 */
export function memoryLimitBytes(readText: ReadText = readFile, machineBytes = totalmem()): number {
  // Lines of `0::/path` in version 2, and of `5:memory:/path` in version 1.
  const groups = (readText('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) return []
    if (controllers === '') return [{ root: CGROUP_ROOT, path, file: 'memory.max' }]
    const isMemory = controllers?.split(',').includes('memory') === true
    return isMemory ? [{ root: join(CGROUP_ROOT, 'memory'), path, file: 'memory.limit_in_bytes' }] : []
  })
  const limits = groups.flatMap(({ root, path, file }) =>
    foldersOf(path).map((folder) => Number(readText(join(root, folder, file))?.trim() ?? 'none'))
  )
  // Without a limit, version 2 has `max`, and version 1 a number larger than any machine's memory.
  return Math.min(machineBytes, ...limits.filter((limit) => limit > 0))
}

/** A group's path and its parents: for `/a/b` also `/a` and `/`. In a container only the root may exist. */
function foldersOf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..')
  return Array.from({ length: names.length + 1 }, (_, count) => names.slice(0, count).join('/'))
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
