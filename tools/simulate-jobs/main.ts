/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { parseArgs } from 'node:util'

import { KINDS, simulate } from './simulate.ts'

/*
 * Runs the job engine through schedules that chance draws from seeds, and checks what docs/jobs.md promises.
 *   npm run simulate-jobs -- [--schedules 100000] [--seed 1] [--kind disk | fleet]
 */
const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string' }
  }
})
const kinds = KINDS.filter(({ name }) => values.kind === undefined || name === values.kind)
const scheduleCount = Number(values.schedules)
const seed = Number(values.seed)
if (kinds.length === 0 || !Number.isSafeInteger(scheduleCount) || scheduleCount < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run simulate-jobs -- [--schedules 100000] [--seed 1] [--kind disk | fleet]\n')
  process.exit(2)
}

const begunMs = performance.now()
try {
  const counts = await simulate({ kinds, scheduleCount, seed })
  const told = [...counts].map(([name, count]) => `${count} on a ${name}`).join(', ')
  const seconds = ((performance.now() - begunMs) / 1000).toFixed(1)
  process.stdout.write(`${told}: every promise was kept (${seconds} s, seeds from ${seed})\n`)
} catch (error) {
  const { message, cause } = error instanceof Error ? error : new Error(String(error))
  process.stderr.write(`${cause instanceof Error ? `${cause.stack}\n` : ''}${message}\n`)
  process.exitCode = 1
}
