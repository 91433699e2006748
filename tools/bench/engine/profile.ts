/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, type Tensor } from 'onnxruntime-node'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

/** Time that an operator took in the mean of some runs. */
export interface OperatorTime {
  readonly name: string
  readonly nodeCount: number
  readonly microseconds: number
}

const Trace = Type.Array(
  Type.Object({
    cat: Type.String(),
    name: Type.String(),
    dur: Type.Optional(Type.Number()),
    args: Type.Optional(Type.Object({ op_name: Type.Optional(Type.String()) }))
  })
)

/**
 * Runs a graph with onnxruntime's profiler and sums up its kernels' times by operator, the dearest first.
 * One thread; the first half of the runs warms up.
 */
export async function profileOperators(
  path: string,
  feeds: Readonly<Record<string, Tensor>>,
  runCount: number
): Promise<OperatorTime[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-profile-'))
  try {
    const session = await InferenceSession.create(path, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'basic',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'trace')
    })
    for (let run = 0; run < runCount; run += 1) await session.run(feeds)
    session.endProfiling()
    await session.release()
    const [file] = await readdir(folder)
    return summarize(JSON.parse(await readFile(join(folder, file ?? ''), 'utf8')), runCount)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Sums up a trace of onnxruntime: mean of a run over the second half of the runs.
 * @throws Error when it is not of the form that is known
 */
export function summarize(trace: unknown, runCount: number): OperatorTime[] {
  if (!Value.Check(Trace, trace)) throw new Error('Cannot read the trace: it is of another form')
  const kernels = trace.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
  const nodesOfRun = kernels.length / runCount
  const counted = kernels.slice(Math.floor(runCount / 2) * nodesOfRun)
  const countedRuns = counted.length / nodesOfRun
  const totals = new Map<string, { nodeCount: number; microseconds: number }>()
  for (const { args, dur } of counted) {
    const name = args?.op_name ?? 'unknown'
    const total = totals.get(name) ?? { nodeCount: 0, microseconds: 0 }
    totals.set(name, {
      nodeCount: total.nodeCount + 1 / countedRuns,
      microseconds: total.microseconds + (dur ?? 0) / countedRuns
    })
  }
  return [...totals]
    .map(([name, { nodeCount, microseconds }]) => ({ name, nodeCount: Math.round(nodeCount), microseconds }))
    .toSorted((a, b) => b.microseconds - a.microseconds)
}
