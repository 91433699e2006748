/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import { SETTINGS } from '../../../src/config.ts'
import { LocalEncoder } from '../../../src/embedding/local-encoder.ts'
import { chooseGraph, detectCpu, type Cpu } from '../../../src/embedding/cpu.ts'
import { hasNative, readModelDescription, type GraphKind } from '../../../src/embedding/model-files.ts'

/** The compiled model of `make download-models`. */
export const COMPILED_MODEL = join(import.meta.dirname, '../../../models/all-MiniLM-L6-v2/compiled')

/** The int8 graph that the service takes here. */
export async function int8GraphOfThisMachine(): Promise<GraphKind> {
  return chooseGraph('int8', detectCpu(), hasNative(await readModelDescription(COMPILED_MODEL)))
}

/** CPUs for which the encoder chooses each int8 graph, whichever CPU this is. */
const CPU_OF_GRAPH: Readonly<Record<Exclude<GraphKind, 'fp32'>, Cpu>> = {
  'int8-native': detectCpu(),
  int8: { architecture: 'x64', model: 'any', features: new Set(['avx512_vnni']) },
  'int8-saturation-safe': { architecture: 'x64', model: 'any', features: new Set() }
}

/** The encoder as the service runs it, with one thread that computes, and a graph that need not be the one for this CPU. */
export async function openEncoder(graph: GraphKind): Promise<LocalEncoder> {
  const encoder = new LocalEncoder({
    folder: COMPILED_MODEL,
    precision: graph === 'fp32' ? 'fp32' : 'int8',
    ...(graph === 'fp32' ? {} : { cpu: CPU_OF_GRAPH[graph] }),
    workerCount: 1,
    maxBatchTokens: SETTINGS.MAX_BATCH_TOKENS.default,
    maxPendingTokens: SETTINGS.MAX_PENDING_TOKENS.default,
    maxCallerShare: 1
  })
  await encoder.start()
  return encoder
}
