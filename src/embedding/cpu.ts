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

const EXACT_BYTE_PRODUCTS = ['avx512_vnni', 'avx_vnni', 'amx_int8']

/** Reads what this machine's CPU is. */
export function detectCpu(): Cpu {
  return {
    architecture: process.arch,
    model: os.cpus()[0]?.model ?? 'unknown',
    features: new Set(readCpuFeatures())
  }
}

/**
 * Chooses the graph for a CPU: on x86-64, bytes are multiplied exactly only where VNNI or AMX is; elsewhere pairs of
 * products saturate in 16 bits. ARM's dot products are exact. What cannot be known is taken for the weaker one.
 */
export function chooseGraph(precision: Precision, cpu: Cpu): GraphKind {
  if (precision === 'fp32') return 'fp32'
  const isExact = cpu.architecture === 'arm64' || EXACT_BYTE_PRODUCTS.some((feature) => cpu.features.has(feature))
  return isExact ? 'int8' : 'int8-saturation-safe'
}

function readCpuFeatures(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
    return line?.[1]?.split(/\s+/) ?? []
  } catch {
    return [] // Not Linux.
  }
}
