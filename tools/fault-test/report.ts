/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Machine } from '../bench/measure/machine.ts'
import type { Finding } from './fault.ts'

/** A fault and its outcome. */
export interface Tried {
  readonly name: string
  readonly outcome: Finding | { readonly skipped: string } | { readonly failure: string }
}

/** The faults of a page with their outcomes. */
export function triedOf(page: string): Tried[] {
  const found = [...page.matchAll(/^\| (.+?) +\| (.+?) +\| (.+?) +\| (.+?) +\|$/gm)]
    .map(([, ...cells]) => cells.map((cell) => cell.replaceAll('\\|', '|')))
    .filter(([name = '']) => name !== 'fault' && !/^-+$/.test(name))
    .map(([name = '', seen = '', lost = '', recovery = '']) => ({ name, outcome: { seen, lost, recovery } }))
  const [, broken = ''] = page.split('## Broken promises')
  const failed = [...broken.matchAll(/^- (.+?): (\w*Error\b.*)$/gm)]
  return [...found, ...failed.map(([, name = '', failure = '']) => ({ name, outcome: { failure } }))]
}

/** What docs/reliability.md says of a run. */
export function reliabilityPage(
  tried: readonly Tried[],
  run: { readonly seed: number; readonly machine: Machine }
): string {
  const found = tried.flatMap(({ name, outcome }) =>
    'seen' in outcome ? [row(name, outcome.seen, outcome.lost, outcome.recovery)] : []
  )
  const skipped = tried.flatMap(({ name, outcome }) => ('skipped' in outcome ? [`- ${name}: ${outcome.skipped}`] : []))
  const failed = tried.flatMap(({ name, outcome }) =>
    'failure' in outcome ? [`- ${name}: ${firstLine(outcome.failure)}`] : []
  )
  return [
    '# Reliability',
    '',
    'What goes wrong, what clients see of it, what is lost, and how long until all is as before. `make fault-test` lets each of these',
    'happen to the real process with the real model, ends with an error when a promise is broken, and writes this page. A short part',
    'of it runs in continuous integration; `npm run fault-test -- --only words --write` tries some again and leaves the other rows.',
    '',
    `Machine: ${run.machine.cpu}, ${run.machine.coreCount} cores, Node.js ${run.machine.node}. Seed: ${run.seed}. \`closed\` is a connection that the service closed, or the attacker left, without a reply.`,
    'The limits behind the attacks are in [limits.md](limits.md), the promises of jobs in [jobs.md](jobs.md#what-is-promised).',
    '',
    row('fault', 'clients see', 'lost', 'recovery'),
    row('---', '---', '---', '---'),
    ...found,
    '',
    ...(skipped.length > 0 ? ['## Not tried here', '', ...skipped, ''] : []),
    ...(failed.length > 0 ? ['## Broken promises', '', ...failed, ''] : [])
  ].join('\n')
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
