/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: a mentor answers what it knows and refuses what it does not, at the size that authors make, on what people really ask.
 *
 *     BENCH_DATA=FOLDER npm run bench -- answers
 *
 * The data sets are not part of this project; without them it says where to get them (measure/data-folder.ts). Each figure stands twice: by an off-topic rule
 * that was learned on the other data sets alone, and by the one that the service has.
 */

import { dirname } from 'node:path'
import { dataFolder } from './measure/data-folder.ts'
import { learnPrior } from '../learn-topic-prior/learn.ts'

const { figures, coverage, ...learned } = await learnPrior(dirname(dataFolder('hint3')), 7)
const byName = Object.fromEntries(
  figures.map(({ name, mentorCount, byOthers, byService }) => [name, { mentorCount, byOthers, byService }])
)
// Where nothing off topic was asked, there is nothing to divide by.
const isFigure = (value: unknown): boolean => !Number.isNaN(value)
process.stdout.write(
  `${JSON.stringify({ mentors: byName, coverage, learned }, (_, value: unknown) => (isFigure(value) ? value : undefined), 2)}\n`
)
