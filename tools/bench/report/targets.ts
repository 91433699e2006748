/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Value } from 'typebox/value'
import { hasByteProducts, type Machine } from '../measure/machine.ts'
import { spreadOf } from '../measure/statistics.ts'
import { ANSWER_TARGETS } from './answer-targets.ts'
import { CachedGetSchema, ratioToEmptyRoute } from './cached-get.ts'
import { EncodeHttpSchema, latencyP95, ratiosTo, requestsPerSecond } from './encode-http.ts'
import { FullLoadSchema } from './full-load.ts'
import { figure, table } from './markdown.ts'
import { coldRatio, MentorsSchema, questionsToEncode, readyRatio, trainingSlowdown } from './mentors.ts'
import { StartSchema } from './start.ts'
import { same, targetsOf, type Target } from './target.ts'

/** Results by the name of their section. */
export type Results = ReadonlyMap<string, unknown>

function against(name: string, what: string, must: Target['must'], aim: number): Target {
  return {
    what,
    must,
    aim,
    isLowerBetter: false,
    unit: '×',
    section: 'encode-http',
    measure: (result) =>
      Value.Check(EncodeHttpSchema, result) ? ratiosTo(result, name, requestsPerSecond)?.median : undefined
  }
}

/** At full load, that is with as many clients as the comparison has. */
function atFullLoad(
  what: string,
  unit: string,
  must: number,
  aim: number,
  pick: (found: FullLoadCase) => number | undefined
): Target {
  return {
    what,
    must: same(must),
    aim,
    isLowerBetter: true,
    unit,
    section: 'full-load',
    measure: (result) => {
      const found = Value.Check(FullLoadSchema, result) ? result.cases[0] : undefined
      return found === undefined ? undefined : pick(found)
    }
  }
}

/** scikit-learn's own accuracy there, as tools/bench/classifier.py measures it. */
const RIDGE_REFERENCE = 0.872

const ofMentors = targetsOf('mentors', MentorsSchema)

type FullLoadCase = import('./full-load.ts').FullLoadResult['cases'][number]

const TARGETS: readonly Target[] = [
  against('flask', 'requests/s to those of (a) Flask + gunicorn', { withoutByteProducts: 3, withByteProducts: 5 }, 10),
  against(
    'transformers-js',
    'requests/s to those of (b) transformers.js',
    { withoutByteProducts: 1.7, withByteProducts: 2.5 },
    5
  ),
  against('transformers-js-q8', 'the same, (b) with q8', { withoutByteProducts: 1.7, withByteProducts: 2.5 }, 5),
  against(
    'infinity',
    'requests/s to those of (c) infinity-emb',
    { withoutByteProducts: 1.8, withByteProducts: 2.5 },
    6
  ),
  against('infinity-fp32', 'the same, (c) with fp32', { withoutByteProducts: 1.8, withByteProducts: 2.5 }, 6),
  {
    what: 'p95 to that of (c)',
    must: { withoutByteProducts: 0.6, withByteProducts: 0.4 },
    aim: 0.2,
    isLowerBetter: true,
    unit: '×',
    section: 'encode-http',
    measure: (result) =>
      Value.Check(EncodeHttpSchema, result) ? ratiosTo(result, 'infinity', latencyP95)?.median : undefined
  },
  {
    what: 'cached GET to an empty Fastify route',
    must: same(0.6),
    aim: 0.9,
    isLowerBetter: false,
    unit: '×',
    section: 'cached-get',
    measure: (result) => (Value.Check(CachedGetSchema, result) ? ratioToEmptyRoute(result, 'ours')?.median : undefined)
  },
  atFullLoad('event-loop delay p99 at full load', ' ms', 20, 5, ({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms),
  atFullLoad('health p99 at full load', ' ms', 50, 10, ({ health }) => health.p99Ms),
  {
    what: 'start to ready, model compiled',
    must: same(3),
    aim: 1,
    isLowerBetter: true,
    unit: ' s',
    section: 'start',
    measure: (result) =>
      Value.Check(StartSchema, result) && result.starts[0] !== undefined
        ? spreadOf(result.starts[0].readyMs).median / 1000
        : undefined
  },
  atFullLoad('RSS at full load, int8', ' MB', 500, 250, ({ load }) => load.serverRssBytes / 1e6),
  ofMentors('Banking77 accuracy, softmax, int8', 'higher', 0.932, 0.94, ({ accuracy }) => accuracy.softmaxInt8),
  ofMentors('Banking77 accuracy, ridge, fp32, off the reference’s 0.872', 'lower', 0.003, 0.003, ({ accuracy }) =>
    Math.abs(accuracy.ridgeFp32 - RIDGE_REFERENCE)
  ),
  ofMentors(
    'train 1,200 samples, 400 answers, cold, to sentence-transformers + scikit-learn, C searched for as here',
    'lower',
    1,
    1 / 3,
    (result) => coldRatio(result, 'searchMs'),
    '×'
  ),
  ofMentors('the same, to one fit there of a given C', 'lower', 1, 1 / 3, (result) => coldRatio(result, 'fitMs'), '×'),
  ofMentors('train Banking77, embeddings ready, to a fit of scikit-learn', 'lower', 3, 1, readyRatio, '×'),
  ofMentors('/questions p95 while a training runs, to idle', 'lower', 2, 1.2, trainingSlowdown, '×'),
  ofMentors('/questions to /v1/encode, requests/s', 'higher', 0.9, 0.95, questionsToEncode, '×'),
  ...ANSWER_TARGETS
]

/** The table of targets with what was measured. */
export function renderTargets(results: Results, machine: Pick<Machine, 'features' | 'architecture'>): string {
  const column = hasByteProducts(machine) ? 'withByteProducts' : 'withoutByteProducts'
  const kind = hasByteProducts(machine) ? 'VNNI, AMX or ARM dot products' : 'neither VNNI nor AMX'
  return table(
    ['', `must (a CPU with ${kind}):`, 'aim:', 'measured:', ''],
    TARGETS.map(({ what, must, aim, isLowerBetter, unit, section, measure }) => {
      const value = measure(results.get(section))
      const sign = isLowerBetter ? '≤' : '≥'
      return [
        what,
        `${sign} ${must[column]}${unit}`,
        `${sign} ${figure(aim)}${unit}`,
        value === undefined ? 'not measured' : `${figure(value)}${unit}`,
        value === undefined ? '' : judge(value, must[column], aim, isLowerBetter)
      ]
    })
  )
}

function judge(value: number, must: number, aim: number, isLowerBetter: boolean): string {
  const reaches = (limit: number): boolean => (isLowerBetter ? value <= limit : value >= limit)
  if (reaches(aim)) return 'aim reached'
  return reaches(must) ? 'met' : '**missed**'
}
