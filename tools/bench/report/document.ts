/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { MachineSchema, type Machine } from '../measure/machine.ts'
import { figure, table } from './markdown.ts'
import type { Section } from './section.ts'
import { renderTargets } from './targets.ts'

/** A section's result as it is kept between runs. */
export const KeptResultSchema = Type.Object({
  section: Type.String(),
  /** When the measurement began: ISO 8601, UTC. */
  measuredAt: Type.String(),
  seconds: Type.Number(),
  machine: MachineSchema,
  result: Type.Unknown()
})

/** See {@link KeptResultSchema}. */
export type KeptResult = Static<typeof KeptResultSchema>

/**
 * Writes docs/benchmarks.md.
 * @param results what has been measured, by section; a section without one is named as missing
 */
export function renderDocument(sections: readonly Section[], results: ReadonlyMap<string, KeptResult>): string {
  const latest = [...results.values()].toSorted((a, b) => a.measuredAt.localeCompare(b.measuredAt)).at(-1)
  if (latest === undefined) throw new Error('Cannot write the report: nothing has been measured')
  const ofLatest = [...results].filter(([, { machine }]) => machineKey(machine) === machineKey(latest.machine))
  return `${[
    '# Benchmarks',
    '',
    'Written by `make bench`, which installs the peers, starts every server on this one machine and measures them in turns. ' +
      'Every figure here was printed by that program; none was typed in. Machines differ: take the ratios, and measure on yours.',
    '',
    renderMachine(latest.machine),
    '',
    '## Targets',
    '',
    renderTargets(new Map(ofLatest.map(([name, { result }]) => [name, result])), latest.machine),
    ...sections.flatMap((section) => renderSection(section, results.get(section.name), latest.machine))
  ].join('\n')}\n`
}

function renderSection(section: Section, kept: KeptResult | undefined, machine: Machine): string[] {
  const body = kept === undefined ? undefined : section.render(kept.result)
  const command = `npm run bench -- ${section.name}`
  if (kept === undefined || body === undefined) {
    const why = kept === undefined ? 'Not measured yet' : 'Last measured by another version of its program'
    return ['', `## ${section.title}`, '', `${why}: \`${command}\`.`]
  }
  const elsewhere =
    machineKey(kept.machine) === machineKey(machine) ? '' : `, **on another machine: ${kept.machine.cpu}**`
  return [
    '',
    `## ${section.title}`,
    '',
    body,
    '',
    `<sub>\`${command}\`: ${kept.measuredAt.slice(0, 16).replace('T', ' ')} UTC, ${figure(kept.seconds)} s, commit ${kept.machine.commit}, ` +
      `load average before ${figure(kept.machine.loadAverage)}${elsewhere}</sub>`
  ]
}

function renderMachine(machine: Machine): string {
  return table(
    ['machine', ''],
    [
      ['CPU', `${machine.cpu}, ${machine.coreCount} cores, ${machine.architecture}`],
      ['features', machine.features.join(', ') || 'none of those that matter here'],
      ['kernels of int8', `\`${machine.kernel}\``],
      ['memory', `${figure(machine.memoryBytes / 2 ** 30)} GiB`],
      ['system', machine.system],
      ['Node.js', machine.node],
      ['onnxruntime-node', machine.onnxruntime],
      ['model', 'sentence-transformers/all-MiniLM-L6-v2']
    ]
  )
}

/** What makes measurements of two runs comparable. */
function machineKey({ cpu, coreCount, features, node }: Machine): string {
  return JSON.stringify([cpu, coreCount, features, node])
}
