/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import catalogue from './emf-metrics.json' with { type: 'json' }
import type { MetricReading } from './metrics.ts'

/** Kind of process: determines its metrics and the value of the dimension `Process`. */
export type ReportingProcess = 'service' | 'worker' | 'lambda'

/** How to build an {@link EmfReporter}. */
export interface EmfReporterOptions {
  readonly process: ReportingProcess
  /** Name of the deployment: the value of the dimension `Stage`. */
  readonly stage: string
  readonly everyMs: number
  readonly read: () => Promise<readonly MetricReading[]>
  /** Writes one line to the standard output, without a prefix or suffix. */
  readonly write: (line: string) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** A metric of CloudWatch, and how it is derived from one of Prometheus. */
interface EmfMetric {
  readonly name: string
  /** A unit of CloudWatch. */
  readonly unit: string
  readonly dimensions: readonly string[]
  readonly processes: readonly string[]
  /** Name of the Prometheus metric, as in docs/metrics.md. */
  readonly source: string
  /**
   * `value`: the present value; `increase`: since the last report; `share`: the chosen series' share of the increase of all
   * series, 0 to 1; `distribution`: at most 100 values, distributed like a histogram's observations since the last report.
   */
  readonly as: string
  /** Chooses series: patterns that the values of labels must match. */
  readonly where?: Readonly<Record<string, string>>
}

type Sample = MetricReading['values'][number]

/** Maximum number of values of a metric in one line, by CloudWatch's format. */
const MAX_VALUES = 100
const SIGNIFICANT_DIGITS = 4
const METRICS: readonly EmfMetric[] = catalogue.metrics

/**
 * Writes the process's metrics at regular intervals in CloudWatch's embedded metric format: a line of JSON from which
 * CloudWatch Logs makes metrics. They are the metrics of Prometheus, as `emf-metrics.json` maps them.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export class EmfReporter {
  readonly #options: EmfReporterOptions
  readonly #now: () => number
  readonly #metrics: readonly EmfMetric[]
  #lastReportMs: number
  /** Cumulative values as of the last report. */
  #before = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #reporting: Promise<void> = Promise.resolve()

  constructor(options: EmfReporterOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#lastReportMs = this.#now()
    this.#metrics = METRICS.filter(({ processes }) => processes.includes(options.process))
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#reporting = this.report()
    }, this.#options.everyMs)
  }

  /** Stops, after a final report of what happened since the last one. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reporting
    await this.report()
  }

  /** Reports if the interval since the last report is over; for a process that is frozen between requests. */
  async reportIfDue(): Promise<void> {
    if (this.#now() - this.#lastReportMs >= this.#options.everyMs) await this.report()
  }

  /** Reports now. Metrics without a value are left out. */
  async report(): Promise<void> {
    const readings = new Map((await this.#options.read()).map((reading) => [reading.name, reading.values]))
    const before = this.#before
    this.#lastReportMs = this.#now()
    this.#before = cumulativeValues(readings)
    const values = new Map<EmfMetric, number | readonly number[]>()
    for (const metric of this.#metrics) {
      const value = valueOf(metric, readings.get(metric.source) ?? [], before)
      if (value !== undefined) values.set(metric, value)
    }
    const dimensions = { Stage: this.#options.stage, Process: this.#options.process }
    const directives = directivesOf([...values.keys()])
    this.#options.write(
      JSON.stringify({
        _aws: { Timestamp: this.#lastReportMs, CloudWatchMetrics: directives },
        ...dimensions,
        ...Object.fromEntries([...values].map(([{ name }, value]) => [name, value]))
      })
    )
  }
}

/** One directive for each set of dimensions. */
function directivesOf(metrics: readonly EmfMetric[]): object[] {
  return [...Map.groupBy(metrics, ({ dimensions }) => dimensions.join(' '))].map(([dimensions, some]) => ({
    Namespace: catalogue.namespace,
    Dimensions: [dimensions.split(' ')],
    Metrics: some.map(({ name, unit }) => ({ Name: name, Unit: unit }))
  }))
}

function valueOf(
  metric: EmfMetric,
  samples: readonly Sample[],
  before: ReadonlyMap<string, number>
): number | readonly number[] | undefined {
  const { source, where = {} } = metric
  const chosen = samples.filter(({ labels }) =>
    Object.entries(where).every(([label, pattern]) => new RegExp(pattern).test(String(labels[label])))
  )
  const increase = (sample: Sample): number => sample.value - (before.get(keyOf(source, sample)) ?? 0)
  const sum = (some: readonly Sample[]): number => some.reduce((total, sample) => total + increase(sample), 0)
  switch (metric.as) {
    case 'value':
      return chosen[0]?.value
    case 'increase':
      return samples.length === 0 ? undefined : sum(chosen)
    case 'share': {
      const all = sum(samples)
      return all === 0 ? undefined : rounded(sum(chosen) / all)
    }
    default: {
      const values = spread(bucketIncreases(chosen, increase))
      return values.length === 0 ? undefined : values
    }
  }
}

/** Number of observations between an upper bound and the next lower one, summed over the chosen series. */
interface Bucket {
  readonly upperBound: number
  readonly count: number
}

function bucketIncreases(samples: readonly Sample[], increase: (sample: Sample) => number): Bucket[] {
  const cumulative = new Map<number, number>()
  for (const sample of samples) {
    if (sample.metricName?.endsWith('_bucket') !== true) continue
    const bound = sample.labels['le'] === '+Inf' ? Infinity : Number(sample.labels['le'])
    cumulative.set(bound, (cumulative.get(bound) ?? 0) + increase(sample))
  }
  let below = 0
  return [...cumulative]
    .toSorted(([a], [b]) => a - b)
    .map(([upperBound, count]) => {
      const bucket = { upperBound, count: count - below }
      below = count
      return bucket
    })
}

/**
 * Makes values that are distributed like the observations: evenly within each bucket, and at the last bound for those above it.
 * For n observations they are the quantiles (i + ½) / k, where k is the smaller of n and {@link MAX_VALUES}.
 */
function spread(buckets: readonly Bucket[]): number[] {
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  const valueCount = Math.min(total, MAX_VALUES)
  const values: number[] = []
  let seen = 0
  let lowerBound = Math.min(0, buckets[0]?.upperBound ?? 0)
  for (const { upperBound, count } of buckets) {
    const width = Number.isFinite(upperBound) ? upperBound - lowerBound : 0
    for (;;) {
      const rank = ((values.length + 0.5) / valueCount) * total
      if (values.length === valueCount || rank > seen + count) break
      values.push(rounded(lowerBound + (width * (rank - seen)) / count))
    }
    seen += count
    if (width > 0) lowerBound = upperBound
  }
  return values
}

function cumulativeValues(readings: ReadonlyMap<string, readonly Sample[]>): Map<string, number> {
  return new Map(
    [...readings].flatMap(([name, samples]) =>
      samples.map((sample): [string, number] => [keyOf(name, sample), sample.value])
    )
  )
}

function keyOf(name: string, { metricName = name, labels }: Sample): string {
  return JSON.stringify([metricName, labels])
}

function rounded(value: number): number {
  return Number(value.toPrecision(SIGNIFICANT_DIGITS))
}
