/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { Type, type Static } from 'typebox'
import onnxruntime from 'onnxruntime-node/package.json' with { type: 'json' }
import { kernelsOfThisMachine } from '../engine/open-encoder.ts'

/** The machine of a measurement. */
export const MachineSchema = Type.Object({
  cpu: Type.String(),
  architecture: Type.String(),
  coreCount: Type.Integer(),
  /** CPU features for int8 products, as named by /proc/cpuinfo. */
  features: Type.Array(Type.String()),
  /** Kernels that compute int8 here. */
  kernel: Type.String(),
  memoryBytes: Type.Number(),
  system: Type.String(),
  node: Type.String(),
  onnxruntime: Type.String(),
  /** Of this repository; with `+` when files differ from it. */
  commit: Type.String(),
  /** Mean number of processes that wanted to run in the minute before: what else was going on. */
  loadAverage: Type.Number()
})

/** See {@link MachineSchema}. */
export type Machine = Static<typeof MachineSchema>

const TELLING_FEATURES =
  'avx2 avx_vnni avx512f avx512_vnni avx512_bf16 amx_tile amx_int8 amx_bf16 asimddp i8mm sve bf16'.split(' ')

/** Describes this machine, now. */
export async function describeMachine(): Promise<Machine> {
  const features = readCpuFeatures()
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    architecture: process.arch,
    coreCount: os.availableParallelism(),
    features: TELLING_FEATURES.filter((feature) => features.includes(feature)),
    kernel: (await kernelsOfThisMachine())[0] ?? 'none',
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    onnxruntime: onnxruntime.version,
    commit: describeCommit(),
    loadAverage: os.loadavg()[0] ?? 0
  }
}

/** Whether the CPU has exact and fast int8 products, on which the targets depend. */
export function hasByteProducts({ features, architecture }: Pick<Machine, 'features' | 'architecture'>): boolean {
  return architecture === 'arm64' || features.some((name) => ['avx_vnni', 'avx512_vnni', 'amx_int8'].includes(name))
}

function describeCommit(): string {
  try {
    const isChanged = git('status', '--porcelain', '--', ':/src', ':/tools', ':/package-lock.json') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${isChanged ? '+' : ''}`
  } catch {
    return 'unknown' // Not a clone: an archive of the sources.
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  })
}

/** As /proc/cpuinfo names them; none where there is no such file. */
function readCpuFeatures(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
    return line?.[1]?.split(/\s+/) ?? []
  } catch {
    return []
  }
}
