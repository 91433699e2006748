/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { GraphKind } from './model-files.ts'

/** What of a CPU decides how fast and how exactly it multiplies bytes. */
export interface Cpu {
  /** As `process.arch` names it. */
  readonly architecture: string
  readonly model: string
  /** Features as /proc/cpuinfo names them; empty where there is none. */
  readonly features: ReadonlySet<string>
}

/** How precisely the linear layers compute. */
export type Precision = 'fp32' | 'int8'

/** What src/embedding/native is compiled for. */
const NATIVE_FEATURES = ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq', 'avx512_vnni', 'fma', 'f16c']
const EXACT_BYTE_PRODUCTS = ['avx512_vnni', 'avx_vnni', 'amx_int8']

/** Reads what this machine's CPU is. */
export function detectCpu(): Cpu {
  return {
    architecture: process.arch,
    model: os.cpus()[0]?.model ?? 'unknown',
    features: new Set(readCpuFeatures())
  }
}

/** Whether a CPU has all instructions that the native encoder is made of. */
export function canRunNative({ architecture, features }: Cpu): boolean {
  return architecture === 'x64' && NATIVE_FEATURES.every((feature) => features.has(feature))
}

/**
 * Chooses the graph for a CPU: on x86-64, bytes are multiplied exactly only where VNNI or AMX is; elsewhere pairs of
 * products saturate in 16 bits. ARM's dot products are exact. What cannot be known is taken for the weaker one.
 * @param hasNative whether the model was compiled for the native encoder too
 */
export function chooseGraph(precision: Precision, cpu: Cpu, hasNative: boolean): GraphKind {
  if (precision === 'fp32') return 'fp32'
  if (hasNative && canRunNative(cpu)) return 'int8-native'
  const isExact = cpu.architecture === 'arm64' || EXACT_BYTE_PRODUCTS.some((feature) => cpu.features.has(feature))
  return isExact ? 'int8' : 'int8-saturation-safe'
}

/** Reads a text file; undefined when there is none. */
export type ReadText = (path: string) => string | undefined

/**
 * Whole cores that this process may keep busy: those of the machine, or fewer where a container's CPU quota says so, at
 * least one. More threads than that would be stopped for the rest of each period, in the middle of a batch.
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

/** Where the limits of this process and of the groups around it are; in a container its own group is the root. */
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

function readCpuFeatures(): string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readIfThere('/proc/cpuinfo') ?? '')
  return line?.[1]?.split(/\s+/) ?? [] // Elsewhere than on Linux there is no such file.
}
