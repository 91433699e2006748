/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { createEmfReporter } from '../../src/app/emf-reporter.ts'
import catalogue from '../../src/server/emf-metrics.json' with { type: 'json' }
import { EmfReporter, type ReportingProcess } from '../../src/server/emf-reporter.ts'
import { createMetrics, type Metrics, type RequestMetrics } from '../../src/server/metrics.ts'

const NOW_MS = 1_800_000_000_000
const UNITS = ['Seconds', 'Bytes', 'Count', 'None']

/**
 * What CloudWatch's specification of the embedded metric format demands, in its own terms.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
const EmfDocument = Type.Object({
  _aws: Type.Object(
    {
      // Up to 14 days in the past and 2 hours in the future, in milliseconds since 1970.
      Timestamp: Type.Integer({ minimum: 1e12, maximum: 1e13 }),
      CloudWatchMetrics: Type.Array(
        Type.Object(
          {
            Namespace: Type.String({ minLength: 1, maxLength: 1024 }),
            Dimensions: Type.Array(Type.Array(Type.String({ minLength: 1, maxLength: 250 }), { maxItems: 30 }), {
              minItems: 1
            }),
            Metrics: Type.Array(
              Type.Object(
                {
                  Name: Type.String({ minLength: 1, maxLength: 1024 }),
                  Unit: Type.Enum(UNITS)
                },
                { additionalProperties: false }
              ),
              { minItems: 1, maxItems: 100 }
            )
          },
          { additionalProperties: false }
        ),
        { minItems: 1 }
      )
    },
    { additionalProperties: false }
  )
})

interface Line {
  readonly fields: Record<string, unknown>
  readonly metadata: Static<typeof EmfDocument>['_aws']
}

/** Reads a line as CloudWatch would: the schema, and that the root has what the directives name. */
function readLine(text: string | undefined): Line {
  const fields: unknown = JSON.parse(text ?? assert.fail('no line'))
  assert.deepEqual([...Value.Errors(EmfDocument, fields)], [])
  const { _aws: metadata } = Value.Parse(EmfDocument, fields)
  assert(typeof fields === 'object' && fields !== null)
  const root: Record<string, unknown> = { ...fields }
  for (const { Dimensions, Metrics } of metadata.CloudWatchMetrics) {
    for (const name of Dimensions.flat()) assert.match(String(root[name]), /^[\w-]{1,1024}$/, name)
    for (const { Name } of Metrics) {
      const value = root[Name]
      const values = Array.isArray(value) ? value : [value]
      assert.ok(values.length > 0 && values.length <= 100, Name)
      assert.ok(
        values.every((each) => Number.isFinite(each)),
        Name
      )
    }
  }
  return { fields: root, metadata }
}

function setUp(process: ReportingProcess = 'service') {
  const metrics: Metrics = createMetrics()
  const requests: RequestMetrics = metrics.addRequests()
  const lines: string[] = []
  let nowMs = NOW_MS
  const reporter = new EmfReporter({
    process,
    stage: 'qa',
    everyMs: 60_000,
    read: () => metrics.read(),
    write: (line) => lines.push(line),
    now: () => nowMs
  })
  const advance = (ms: number) => {
    nowMs += ms
  }
  return {
    metrics,
    requests,
    reporter,
    lines,
    advance,
    report: async () => (await reporter.report(), readLine(lines.at(-1)))
  }
}

/** Adds what a service has, so that every metric has a source. */
function fill({ metrics, requests }: { metrics: Metrics; requests: RequestMetrics }): void {
  metrics.addEncoderLoad(() => ({ waitingSentences: 3, waitingTokens: 45, oldestAgeMs: 250, liveWorkers: 2 }))
  metrics.addReplyCache(() => ({ hitCount: 7, missCount: 8, entryCount: 5, bytes: 1234 }))
  metrics.addJobs({
    counts: () => ({ runningCount: 1, succeededCount: 7, failedTryCount: 2, lostCount: 0 }),
    backlog: () => ({ queuedCount: 9, inProgressCount: 1, deadCount: 3, workerCount: 2, backlogPerWorker: 4.5 })
  })
  requests.observeRequest({ method: 'GET', route: '/v1/encode', statusCode: 200, durationMs: 3 })
  requests.observeAnswer({ answerType: 'CLASSIFIER', architecture: 'softmax', confidence: 0.97 })
  requests.observeAnswer({ answerType: 'CLASSIFIER', architecture: 'ridge', confidence: -0.2 })
  requests.observeInput(11)
  metrics.encoderObserver.sentenceQueued(1)
  metrics.encoderObserver.batch(1, 12, 2)
}

for (const process of ['service', 'worker', 'lambda'] as const) {
  test(`a line of the ${process} is in CloudWatch's format and has just the metrics that the catalogue says`, async () => {
    const parts = setUp(process)
    fill(parts)
    const { fields, metadata } = await parts.report()
    const written = metadata.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
      Metrics.map(({ Name, Unit }) => ({ Namespace, dimensions: Dimensions, name: Name, unit: Unit }))
    )
    const promised = catalogue.metrics
      .filter(({ processes }) => processes.includes(process))
      .map(({ name, unit, dimensions }) => ({ Namespace: catalogue.namespace, dimensions: [dimensions], name, unit }))
    assert.deepEqual(written.toSorted(byName), promised.toSorted(byName))
    assert.equal(metadata.Timestamp, NOW_MS)
    assert.deepEqual([fields['Stage'], fields['Process']], ['qa', process])
  })
}

test('counts are those since the last report', async () => {
  const { requests, report } = setUp()
  const request = { method: 'GET', route: '/v1/encode', durationMs: 3 }
  for (const statusCode of [200, 200, 304, 404, 429, 503]) requests.observeRequest({ ...request, statusCode })
  const first = await report()
  assert.deepEqual(pick(first, 'HttpRequests', 'HttpErrors4xx', 'HttpErrors5xx'), [6, 2, 1])
  requests.observeRequest({ ...request, statusCode: 500 })
  assert.deepEqual(pick(await report(), 'HttpRequests', 'HttpErrors4xx', 'HttpErrors5xx'), [1, 0, 1])
})

test('the off-topic share is of all answers since the last report, and absent without any', async () => {
  const { requests, report } = setUp()
  const answer = { architecture: 'softmax', confidence: 0.5 } as const
  for (const answerType of ['OFF_TOPIC', 'CLASSIFIER', 'EXACT', 'PARAPHRASE'] as const)
    requests.observeAnswer({ ...answer, answerType })
  assert.deepEqual(pick(await report(), 'OffTopicShare', 'Answers'), [0.25, 4])
  requests.observeAnswer({ ...answer, answerType: 'OFF_TOPIC' })
  assert.deepEqual(pick(await report(), 'OffTopicShare', 'Answers'), [1, 1])
  const { fields, metadata } = await report()
  assert.equal(fields['OffTopicShare'], undefined)
  assert.ok(!JSON.stringify(metadata).includes('OffTopicShare'))
})

test('a distribution has one value for each observation, within the bucket that it fell into', async () => {
  const { requests, report } = setUp()
  for (const characterCount of [1, 10, 12, 200_000_000]) requests.observeInput(characterCount)
  const { fields } = await report()
  // Buckets of sbert_input_characters: up to 8, 8 to 16, and above the last bound, which stands for all beyond; to four digits.
  assert.deepEqual(fields['input.num_chars'], [4, 10, 14, 1_049_000])
})

test('a distribution of many observations has 100 values with the same quantiles', async () => {
  const { requests, report } = setUp()
  for (let index = 0; index < 1000; index += 1) requests.observeInput(index < 900 ? 10 : 300)
  const { fields } = await report()
  const values = fields['input.num_chars']
  assert(Array.isArray(values))
  assert.equal(values.length, 100)
  assert.deepEqual(
    values.toSorted((a: number, b: number) => a - b),
    values
  )
  assert.equal(values.filter((value: number) => value > 8 && value <= 16).length, 90)
  assert.equal(values.filter((value: number) => value > 256 && value <= 512).length, 10)
})

test('the two kinds of confidence are kept apart, below zero too', async () => {
  const { requests, report } = setUp()
  requests.observeAnswer({ answerType: 'CLASSIFIER', architecture: 'softmax', confidence: 0.97 })
  requests.observeAnswer({ answerType: 'OFF_TOPIC', architecture: 'ridge', confidence: -0.8 })
  assert.deepEqual(pick(await report(), 'ModelConfidence', 'ModelDecisionValue'), [[0.97], [-0.875]])
})

test('what a load balancer asks for does not count as a request of people', async () => {
  const { requests, report } = setUp()
  for (const route of ['/', '/health/ready'])
    requests.observeRequest({ method: 'GET', route, statusCode: 200, durationMs: 0.1 })
  assert.deepEqual(pick(await report(), 'HttpRequests', 'HttpRequestSeconds'), [2, undefined])
  requests.observeRequest({ method: 'GET', route: undefined, statusCode: 404, durationMs: 40 })
  assert.deepEqual(pick(await report(), 'HttpRequestSeconds'), [[0.035]])
})

test('a frozen process reports once the interval has passed, and each process at its end', async () => {
  const { reporter, lines, advance } = setUp('lambda')
  await reporter.reportIfDue()
  advance(59_999)
  await reporter.reportIfDue()
  assert.equal(lines.length, 0)
  advance(1)
  await reporter.reportIfDue()
  await reporter.reportIfDue()
  assert.equal(lines.length, 1)
  await reporter.stop()
  assert.equal(lines.length, 2)
})

test('it reports at each interval', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const written = Promise.withResolvers<string>()
  const metrics = createMetrics()
  const reporter = createEmfReporter({ metrics: 'emf', metricsIntervalSeconds: 5, stage: 'qa' }, 'worker', metrics, {
    writeLine: written.resolve
  })
  reporter?.start()
  t.mock.timers.tick(5000)
  assert.equal(readLine(await written.promise).fields['Process'], 'worker')
  await reporter?.stop()
})

test('without METRICS=emf nothing is reported', () => {
  const settings = { metrics: 'none', metricsIntervalSeconds: 5, stage: 'qa' } as const
  assert.equal(createEmfReporter(settings, 'service', createMetrics(), { writeLine: assert.fail }), undefined)
})

test('docs/metrics.md names every metric of CloudWatch, and no other', async () => {
  const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf('## CloudWatch'))
  const documented = [...section.matchAll(/^\| (`[^|]*`) +\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  )
  assert.deepEqual(new Set(documented), new Set(catalogue.metrics.map(({ name }) => name)))
  assert.equal(documented.length, catalogue.metrics.length)
})

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name)
}

function pick({ fields }: Line, ...names: string[]): unknown[] {
  return names.map((name) => fields[name])
}
