/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { answers } from './answers.ts'
import { arithmeticLimit } from './arithmetic-limit.ts'
import { cachedGet } from './cached-get.ts'
import { concurrency } from './concurrency.ts'
import { encodeHttp } from './encode-http.ts'
import { engine } from './engine.ts'
import { entities } from './entities.ts'
import { fullLoad } from './full-load.ts'
import { renderFigures } from './figures.ts'
import { jobs } from './jobs.ts'
import { largeSets } from './large-sets.ts'
import { mentors } from './mentors.ts'
import { quality } from './quality.ts'
import type { Section } from './section.ts'
import { soak } from './soak.ts'
import { start } from './start.ts'
import { tokenizer } from './tokenizer.ts'

/** Sections with a form of their own, in the order of the report. */
const KNOWN: readonly Section[] = [
  encodeHttp,
  concurrency,
  cachedGet,
  fullLoad,
  start,
  engine,
  arithmeticLimit,
  quality,
  tokenizer,
  answers,
  largeSets,
  mentors,
  entities,
  jobs,
  soak
]

/**
 * The sections of some programs of tools/bench, in the order of the report.
 * A program without a form of its own comes last: its figures are listed as it prints them.
 * @param programs file names without `.ts`
 */
export function sectionsOf(programs: readonly string[]): Section[] {
  const known = KNOWN.filter(({ name }) => programs.includes(name))
  const others = programs
    .filter((program) => !KNOWN.some(({ name }) => name === program))
    .map((name) => ({
      name,
      title: `${name.slice(0, 1).toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`,
      isOptional: false,
      render: renderFigures
    }))
  return [...known, ...others]
}
