/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Learns what many mentors teach about questions that nothing answers, and prints src/learning/topic-prior.ts' numbers.
 *
 *     npm run --silent learn-topic-prior -- --data FOLDER [--seed 7] [--write-foresight]
 *
 * Mentors of several data sets are drawn and trained as the service trains them. For each data set the prior of the others is
 * tried on it; the prior that is printed last is that of all. It says what it wants in the folder where it finds nothing.
 *
 * What trainings foretell follows from the rule that the service has: after a change of topic-prior.ts run it once more, with
 * `--write-foresight`, which writes src/learning/foresight-prior.ts; `npm run format` lays it out.
 */

import { parseArgs } from 'node:util'
import { writeForesight } from './foresight-source.ts'
import type { PriorFigures } from './judge-prior.ts'
import { learnPrior } from './learn.ts'

const {
  data,
  seed,
  'write-foresight': isForesightWritten
} = parseArgs({
  options: {
    data: { type: 'string' },
    seed: { type: 'string', default: '7' },
    'write-foresight': { type: 'boolean', default: false }
  }
}).values
if (data === undefined) {
  console.error('learn-topic-prior: --data FOLDER is wanted')
  process.exit(1)
}
const { prior, figures, foresight, confidences, coverage } = await learnPrior(data, Number(seed), (done, count) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count} mentors`)
})
const TITLES = {
  byOthers: 'Each data set by the prior of the others:',
  byAll: '\nEach by the prior of all:',
  byService: '\nEach by the prior that the service has:'
} as const
for (const kind of ['byOthers', 'byAll', 'byService'] as const) {
  console.log(TITLES[kind])
  for (const one of figures)
    console.log(`${one.name.padEnd(36)} ${String(one.mentorCount).padStart(2)}: ${lineOf(one[kind])}`)
}
for (const [of, byFigure] of Object.entries(coverage)) {
  const lines = Object.entries(byFigure).map(
    ([figure, { within, count, width }]) => `${figure} ${within} of ${count} (mean width ${width})`
  )
  console.log(`\nwithin the interval foretold, ${of}: ${lines.join(', ')}`)
}
console.log(`\n${JSON.stringify({ prior, foresight, confidences }, null, 2)}`)
if (isForesightWritten) await writeForesight(foresight, confidences)

function lineOf(of: PriorFigures): string {
  const { accuracy, auroc, goodRefused, nonsenseRefused, foreignRefused, handledRight, calibrationError } = of
  const parts = {
    accuracy,
    AUROC: auroc,
    'good refused': goodRefused,
    'nonsense refused': nonsenseRefused,
    'of it foreign': foreignRefused
  }
  return Object.entries({ ...parts, 'handled right': handledRight, 'calibration error': calibrationError })
    .map(([name, value]) => `${name} ${value.toFixed(3)}`)
    .join(', ')
}
