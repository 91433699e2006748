/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Machine } from '../../../tools/bench/measure/machine.ts'
import { renderDocument, type KeptResult } from '../../../tools/bench/report/document.ts'
import { encodeHttp, latencyP95, ratiosTo, type EncodeHttpResult } from '../../../tools/bench/report/encode-http.ts'
import { renderFigures } from '../../../tools/bench/report/figures.ts'
import { largeSets } from '../../../tools/bench/report/large-sets.ts'
import { figure, spread, table } from '../../../tools/bench/report/markdown.ts'
import {
  coldRatio,
  mentors,
  questionsToEncode,
  readyRatio,
  trainingSlowdown,
  type MentorsResult
} from '../../../tools/bench/report/mentors.ts'
import { sectionsOf } from '../../../tools/bench/report/sections.ts'
import { growthOfSecondHalf } from '../../../tools/bench/report/soak.ts'
import { renderTargets } from '../../../tools/bench/report/targets.ts'

const MACHINE: Machine = {
  cpu: 'Test CPU',
  architecture: 'x64',
  coreCount: 2,
  features: ['avx2', 'avx512_vnni'],
  kernel: 'avx512-vnni',
  memoryBytes: 2 ** 34,
  system: 'Linux 6',
  node: '26.0.0',
  onnxruntime: '1.30.0',
  commit: 'abc',
  loadAverage: 0
}

function round(requestsPerSecond: number, p95: number): EncodeHttpResult['servers'][number]['rounds'][number] {
  return {
    requestCount: 1,
    seconds: 1,
    failureCount: 0,
    latencyMs: { p50: p95 / 2, p95, p99: p95, max: p95 },
    requestsPerSecond,
    serverCpuShare: 1,
    clientCpuShare: 0.1,
    otherCpuShare: 0,
    serverRssBytes: 3e8
  }
}

function server(
  name: string,
  rounds: EncodeHttpResult['servers'][number]['rounds']
): EncodeHttpResult['servers'][number] {
  return { name, title: `server ${name}`, setup: 'defaults', rounds }
}

const ENCODE_HTTP: EncodeHttpResult = {
  clientCount: 10,
  secondsPerCase: 6,
  warmUpSeconds: 2,
  meanWordCount: 11,
  servers: [
    server('ours-int8', [round(600, 10), round(60, 100)]),
    server('flask', [round(100, 100), round(20, 400)]),
    server('infinity', [round(500, 20), round(50, 200)]),
    { ...server('infinity-fp32', []), problem: 'it could not be installed' }
  ]
}

function kept(section: string, result: unknown, machine: Machine = MACHINE): KeptResult {
  return { section, measuredAt: '2026-11-21T12:34:56.000Z', seconds: 60, machine, result }
}

test('figure() keeps three significant digits, all before the point, and integers', () => {
  const shown = [1234.5, 12.34, 1.2, 0.012, 9.999, 99.99, -0.5, 0, 7, 1e6].map(figure)
  assert.deepEqual(shown, ['1,235', '12.3', '1.20', '0.0120', '10.0', '100', '-0.500', '0', '7', '1,000,000'])
  assert.equal(figure(Number.NaN), '–')
})

test('spread() shows the median and both ends', () => {
  assert.equal(spread({ median: 10.5, min: 9, max: 12 }), '10.5 (9–12)')
})

test('table() sets columns with a colon to the right, and keeps pipes inside their cell', () => {
  assert.equal(table(['a', 'b:'], [['x|y', '1']]), '| a | b |\n| --- | ---: |\n| x\\|y | 1 |')
})

test('ratiosTo() pairs rounds, and gives nothing for a server that was not measured', () => {
  assert.deepEqual(ratiosTo(ENCODE_HTTP, 'infinity', latencyP95), { median: 0.5, min: 0.5, max: 0.5 })
  assert.equal(ratiosTo(ENCODE_HTTP, 'infinity-fp32', latencyP95), undefined)
  assert.equal(ratiosTo(ENCODE_HTTP, 'unknown', latencyP95), undefined)
})

test('the section encode-http shows ratios of paired rounds, and why a peer is missing', () => {
  const shown = encodeHttp.render(ENCODE_HTTP) ?? ''
  assert.match(shown, /server flask \| 60 \(20–100\) \| \*\*4\.50×\*\* \(3–6\)/)
  assert.match(shown, /server infinity-fp32: \*\*not measured\*\*: it could not be installed/)
  assert.doesNotMatch(shown, /\| server infinity-fp32/)
})

test('a section shows nothing of a result that another version of its program has left', () => {
  assert.equal(encodeHttp.render({ servers: [] }), undefined)
})

test('renderTargets() judges by what this CPU can do, and never calls what was not measured met', () => {
  const results = new Map<string, unknown>([['encode-http', ENCODE_HTTP]])
  const row = (what: string, features: string[]): string | undefined =>
    renderTargets(results, { ...MACHINE, features })
      .split('\n')
      .find((line) => line.includes(what))
  // 4.5 times: enough where there is neither VNNI nor AMX, too little where there is.
  assert.match(row('(a)', ['avx2']) ?? '', /≥ 3× .* 4\.50× \| met/)
  assert.match(row('(a)', ['avx2', 'avx512_vnni']) ?? '', /≥ 5× .* 4\.50× \| \*\*missed\*\*/)
  // 0.5 of the latency: lower is better.
  assert.match(row('p95 to that of (c)', ['avx2']) ?? '', /≤ 0\.6× .* 0\.500× \| met/)
  assert.match(row('p95 to that of (c)', ['avx512_vnni']) ?? '', /≤ 0\.4× .* 0\.500× \| \*\*missed\*\*/)
  assert.match(row('start to ready', ['avx2']) ?? '', /not measured \| {2}\|/)
})

test('renderDocument() names the command of what is missing, and when the rest was measured', () => {
  const sections = sectionsOf(['encode-http', 'start'])
  const shown = renderDocument(sections, new Map([['encode-http', kept('encode-http', ENCODE_HTTP)]]))
  assert.match(shown, /Test CPU, 2 cores, x64/)
  assert.match(shown, /`npm run bench -- encode-http`: 2026-11-21 12:34 UTC, 60 s, commit abc/)
  assert.match(shown, /Not measured yet: `npm run bench -- start`/)
})

test('renderDocument() says when a section is of another machine, and leaves it out of the targets', () => {
  const other = {
    ...kept('encode-http', ENCODE_HTTP, { ...MACHINE, cpu: 'Old CPU' }),
    measuredAt: '2026-11-20T00:00:00.000Z'
  }
  const start = kept('start', { starts: [{ title: 'ours', precision: 'int8', readyMs: [800] }] })
  const shown = renderDocument(
    sectionsOf(['encode-http', 'start']),
    new Map([other, start].map((one) => [one.section, one]))
  )
  assert.match(shown, /\*\*on another machine: Old CPU\*\*/)
  assert.match(shown, /start to ready.*0\.800 s \| aim reached/)
  assert.match(shown, /\(a\) Flask \+ gunicorn \|.*not measured/)
})

test('sectionsOf() gives a program without a form of its own one, last, under its name', () => {
  const sections = sectionsOf(['job-queue', 'start'])
  assert.deepEqual(
    sections.map(({ title }) => title),
    ['From start to ready', 'Job queue']
  )
})

test('renderFigures() names a figure by the keys that lead to it', () => {
  assert.equal(
    renderFigures({ fsyncMs: 1.5, onEmptyTable: { enqueue: { perSecond: 5000 } }, list: ['x'] }),
    table(
      ['figure', ':'],
      [
        ['fsync ms', '1.50'],
        ['on empty table · enqueue · per second', '5,000'],
        ['list · 0', 'x']
      ]
    )
  )
})

test('growthOfSecondHalf() compares the end with the middle, not with the start', () => {
  const tenths = [1, 2, 3, 4, 5, 5, 5, 5, 5, 6].map((rssBytes) => ({ requestsPerSecond: 1, p99Ms: 1, rssBytes }))
  const result = { clientCount: 1, replyCacheBytes: 1, requestCount: 1, failureCount: 0, seconds: 1, tenths }
  assert.ok(Math.abs(growthOfSecondHalf(result) - 0.2) < 1e-12)
})

const MENTORS: MentorsResult = {
  cold: {
    sampleCount: 1200,
    answerCount: 400,
    oursMs: [3000, 2000],
    oursRidgeMs: [1000, 1000],
    encodedCount: 1200,
    peer: { versions: 'scikit-learn 1', encodeMs: [3000, 2000], fitMs: [1, 1], searchMs: [3000, 2000] }
  },
  ready: {
    sampleCount: 10_003,
    classCount: 77,
    oursMs: [3000, 3000],
    oursRidgeMs: [500, 500],
    peerMs: [2000, 1500],
    peerRidgeMs: [100, 100]
  },
  accuracy: { softmaxInt8: 0.9351, ridgeFp32: 0.8716, calibrationError: 0.0101 },
  asking: { clientCount: 1, idle: [round(100, 4)], whileEncoding: [round(80, 6)], whileFitting: [round(90, 5)] },
  throughput: { clientCount: 4, questions: [round(90, 9)], encode: [round(100, 8)] }
}

test('the figures of mentors are held against their targets: each round to its own, the worst stage of a training', () => {
  assert.deepEqual(
    [coldRatio(MENTORS, 'searchMs'), readyRatio(MENTORS), trainingSlowdown(MENTORS), questionsToEncode(MENTORS)],
    [0.5, 1.75, 1.5, 0.9]
  )
  const targets = renderTargets(new Map([['mentors', MENTORS]]), MACHINE)
  assert.match(targets, /Banking77 accuracy, softmax, int8 \| ≥ 0\.932 \| ≥ 0\.940 \| 0\.935 \| met/)
  assert.match(targets, /off the reference’s 0\.872 \| ≤ 0\.003 \|.*\| aim reached/)
  assert.match(targets, /cold.* \| ≤ 1× \| ≤ 0\.333× \| 0\.500× \| met/)
  assert.match(targets, /p95 while a training runs, to idle \| ≤ 2× \| ≤ 1\.2\d*× \| 1\.50× \| met/)
  assert.match(mentors.render(MENTORS) ?? '', /\| its texts are encoded \| 3 \| 6 \| 80 \|/)
})

function answersOf(byOthers: object, byService: object = byOthers): object {
  const rest = { accuracy: 0.9, goodRefused: 0.15, handledRight: 0.8, calibrationError: 0.1 }
  return { mentorCount: 1, byOthers: { ...rest, ...byOthers }, byService: { ...rest, ...byService } }
}

test('the targets of answers are judged by the rule of the other data sets, small mentors by the mean of all sets', () => {
  const answers = {
    mentors: {
      curekart: answersOf({ auroc: 0.885 }, { auroc: 0.99 }),
      'curekart with typing errors': answersOf({ accuracy: 0.83 }),
      'a bank 20 × 1': answersOf({ nonsenseRefused: 0.7 }),
      'a shop 20 × 1': answersOf({ nonsenseRefused: 0.92 }),
      'a shop 20 × 2': answersOf({ nonsenseRefused: 0.79 })
    },
    coverage: {
      drawn: { accuracy: { within: 95, count: 100, width: 0.2 }, refused: { within: 89, count: 100, width: 0.2 } },
      whole: {}
    }
  }
  const targets = renderTargets(new Map([['answers', answers]]), MACHINE)
  assert.match(targets, /curekart: AUROC of the confidence \| ≥ 0\.89 \| ≥ 0\.910 \| 0\.885 \| \*\*missed/)
  assert.match(targets, /curekart: accuracy lost by typing errors.* \| 0\.0700 \| met/)
  assert.match(targets, /one phrase each: nonsense refused \|.*\| 0\.810 \| met/)
  assert.match(targets, /2 phrases each: nonsense refused \|.*\| 0\.790 \| \*\*missed/)
  assert.match(targets, /foretold intervals.*\| 0\.890 \| \*\*missed/)
  assert.match(targets, /sofmattress: handled right .*\| not measured/)
})

test('large-sets shows the accuracy of both, and whether chance explains the difference', () => {
  const split = {
    name: 'a set',
    classCount: 100,
    trainCount: 9000,
    testCount: 1000,
    bothRight: 900,
    oursAloneRight: 20,
    peerAloneRight: 5,
    peerC: 10,
    oursCpuMs: 4000,
    peerCpuMs: 9000
  }
  const shown = largeSets.render({ splits: [split] }) ?? ''
  assert.match(shown, /\| a set \| 100 \| 9,000 \| 1,000 \| 0\.9200 \| 0\.9050 \| 20 \| 5 \| 0\.0041 \| 4 \| 9 \|/)
  assert.equal(largeSets.render({ splits: [{}] }), undefined)
})
