/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import list from '../aws-cost/prices.json' with { type: 'json' }
import { MachineSchema } from '../bench/measure/machine.ts'
import { figure, percent, table } from '../bench/report/markdown.ts'
import { plotOf } from '../bench/report/plot.ts'
import { DELAYS, JOB_SENTENCES, SPIKE, UTILISATION, WEB_SCALING, WORKER_SCALING } from './assumptions.ts'
import { armBreakEven, encodeCosts, functionBreakEvenMillions } from './encode-cost.ts'
import { capacityOf, requestsPerSecondAt, requestTargetOf, type CurvePoint } from './service-curve.ts'
import { outcomeOf, simulateWeb, type WebSpike } from './simulate-web.ts'
import { simulateWorkers } from './simulate-workers.ts'

const MeasurementSchema = Type.Object({
  machine: MachineSchema,
  measuredAt: Type.String(),
  secondsPerCase: Type.Number(),
  curve: Type.Array(
    Type.Object({
      clientCount: Type.Number(),
      requestsPerSecond: Type.Number(),
      p50Ms: Type.Number(),
      p95Ms: Type.Number()
    })
  )
})

/** What was measured, and where. */
export type ScalingMeasurement = Static<typeof MeasurementSchema>

const FACTOR = 1000
/** Spikes between that of then and one beyond the larger one. */
const STEPS = [1, 10, 100, FACTOR, 10 * FACTOR] as const
const CACHED_SHARES = [0, 0.7] as const
/** Moments that the plot shows, in seconds: its axis is logarithmic. */
const SHOWN_SECONDS = [60, 240, 480, 960, 1920, 3600]

/** docs/scaling.md. */
export function scalingDocument(measurement: ScalingMeasurement): string {
  return [
    '# Scaling: speed and cost on paper',
    'Written by `make scaling`, which measures the service on this one machine, or by `npm run scaling -- --bench`, which takes the curve that `make bench` measured there; the rest is computed, and no account was used. Figures of the first ' +
      'section are measured, all others are of the model in `tools/scaling/`, whose assumptions are below.',
    measuredSection(measurement),
    assumptionsSection(),
    smallSpikeSection(measurement.curve),
    largeSpikeSection(measurement.curve),
    stepsSection(measurement.curve),
    jobsSection(measurement.curve),
    costSection(measurement.curve),
    // What all of it is computed from, for the test that computes it again.
    `<!-- ${JSON.stringify(measurement)} -->\n`
  ].join('\n\n')
}

/** The measurement that a document was made from. @throws {Error} when it names none */
export function measurementIn(document: string): ScalingMeasurement {
  const value: unknown = JSON.parse(/^<!-- (\{.*\}) -->$/m.exec(document)?.[1] ?? 'null')
  if (!Value.Check(MeasurementSchema, value))
    throw new Error('Cannot read docs/scaling.md: want a measurement at its end')
  return value
}

/** docs/scaling.svg: the curve, and the large spike over time. */
export function scalingPlot(curve: readonly CurvePoint[]): string {
  const spikes = spikesOf(curve, CACHED_SHARES[1], WEB_SCALING.maxInstances)
  const over = (value: (second: { answeredPerSecond: number; instances: number }) => number) =>
    spikes.map(({ title, spike }) => {
      const course = simulateWeb(spike)
      const points = SHOWN_SECONDS.flatMap((x) => {
        const second = course[x - 1]
        return second === undefined ? [] : [{ x, y: value(second) }]
      })
      return { title, points }
    })
  return plotOf(
    [
      { title: 'requests/s answered by the web tier', series: over(({ answeredPerSecond }) => answeredPerSecond) },
      { title: 'instances', series: over(({ instances }) => instances) }
    ],
    'seconds since the spike began'
  )
}

function measuredSection({ machine, measuredAt, secondsPerCase, curve }: ScalingMeasurement): string {
  const { cpu, coreCount, architecture, kernel, commit, loadAverage } = machine
  return [
    '## What one instance does',
    `${cpu}, ${coreCount} cores, ${architecture}, kernels \`${kernel}\`; commit ${commit}, ${measuredAt}, load average ${figure(loadAverage)} when it began ` +
      `(above 1, others took a part of the machine). \`GET /v1/encode\`, one short text a request, no text twice, clients in a closed loop and on ` +
      `the same machine, ${figure(secondsPerCase)} s a case.`,
    table(
      ['clients:', 'requests/s:', 'p50 ms:', 'p95 ms:'],
      curve.map(({ clientCount, requestsPerSecond, p50Ms, p95Ms }) =>
        [clientCount, requestsPerSecond, p50Ms, p95Ms].map(figure)
      )
    ),
    `The most is **${figure(capacityOf(curve))} requests/s**. At ${percent(UTILISATION)} of it an instance answers ${figure(requestTargetOf(curve, UTILISATION))} requests a minute: ` +
      `that is what \`web_scaling.requests_per_target_per_minute\` should be on such an instance. Its default, ${figure(WEB_SCALING.requestsPerTargetPerMinute)}, leaves room for texts ` +
      'of the full 256 tokens and for training beside.'
  ].join('\n\n')
}

function assumptionsSection(): string {
  const { metricSeconds, instanceStartSeconds, taskStartSeconds, trackingMinutes } = DELAYS
  return [
    '## What the model assumes',
    `- Every instance is as fast as this machine, and refuses at once what it cannot answer (429 or 503 with \`Retry-After\`).`,
    `- Scaling as \`terraform/\` sets it: grow by ${WEB_SCALING.growthPercent} % after ${WEB_SCALING.outAfterMinutes} minutes above ${figure(WEB_SCALING.requestsPerTargetPerMinute)} requests a minute and instance or ${WEB_SCALING.cpuPercent} % of CPU, ` +
      `then pause ${WEB_SCALING.outCooldownSeconds} s; ${WEB_SCALING.minInstances} to ${WEB_SCALING.maxInstances} instances, as prod has.`,
    `- The spike comes from one second to the next and lasts an hour; CloudFront and the balancer keep up.`,
    `- A job has ${figure(JOB_SENTENCES)} sentences, and a task encodes as many sentences a second as an instance answers requests.`,
    '',
    'These are assumptions too, which nothing here has measured. Each has the command that would:',
    '',
    table(
      ['assumed', 'measured by'],
      [
        ['c7i.large is as fast as this machine', '`npm run scaling` on one: its first table'],
        [
          'ARM (c7g.large, Graviton) is as fast as x86',
          '`npm run bench -- concurrency --only ours-int8` on both; the kernels for ARM are checked here by emulation, for their bytes and not their speed'
        ],
        [
          `prices: ${list.asOf}`,
          'the `source` of each in `tools/aws-cost/prices.json`, or `aws pricing get-products --service-code AmazonEC2 --filters Type=TERM_MATCH,Field=instanceType,Value=c7i.large`; then `npm run scaling -- --bench`'
        ],
        [
          `an instance takes ${instanceStartSeconds} s from its launch to its first request`,
          '`aws autoscaling describe-scaling-activities --auto-scaling-group-name <group>`, and the first `ready` in `make logs`'
        ],
        [
          `a Fargate task takes ${taskStartSeconds} s`,
          '`aws ecs describe-tasks`: `createdAt` and `startedAt`, and the first `ready`'
        ],
        [
          `metrics are known ${metricSeconds} s after their minute`,
          '`aws cloudwatch describe-alarm-history --alarm-name sbert-service-prod-web-load-out` beside the time of the load'
        ],
        [
          `target tracking acts after ${trackingMinutes} minutes`,
          '`aws application-autoscaling describe-scaling-activities --service-namespace ecs`'
        ],
        [
          `${percent(CACHED_SHARES[1])} of requests are answered by the edge`,
          'the metric `CacheHitRate` of the distribution, once additional metrics are on'
        ]
      ]
    )
  ].join('\n')
}

function smallSpikeSection(curve: readonly CurvePoint[]): string {
  const users = SPIKE.users / WEB_SCALING.minInstances
  const together = WEB_SCALING.minInstances * requestsPerSecondAt(curve, users)
  return [
    `## A spike of ${SPIKE.users} users`,
    `The old service's load test: ${SPIKE.users} users, each asking again as soon as it is answered, got 39 to ${SPIKE.requestsPerSecond} requests/s from it while it scaled out. Here ` +
      `${WEB_SCALING.minInstances} instances with ${figure(users)} users each answer **${figure(together)} requests/s**. The ${SPIKE.requestsPerSecond} requests/s of then are ` +
      `${percent(SPIKE.requestsPerSecond / (WEB_SCALING.minInstances * capacityOf(curve)))} of what the two can do: nothing has to scale.`
  ].join('\n\n')
}

interface NamedSpike {
  readonly title: string
  readonly spike: WebSpike
}

function spikesOf(curve: readonly CurvePoint[], cachedShare: number, maxInstances: number): readonly NamedSpike[] {
  const capacity = capacityOf(curve)
  const requestsPerSecond = SPIKE.requestsPerSecond * FACTOR
  const target = requestTargetOf(curve, UTILISATION)
  const common = { requestsPerSecond, cachedShare, capacity, maxInstances }
  return [
    { title: 'requests or CPU, as terraform/ has it', spike: { ...common, policy: 'both' } },
    {
      title: `requests, ${figure(target)} a minute and instance`,
      spike: { ...common, policy: 'requests', requestsPerTargetPerMinute: target }
    },
    { title: 'CPU alone', spike: { ...common, policy: 'cpu' } }
  ]
}

function largeSpikeSection(curve: readonly CurvePoint[]): string {
  const capacity = capacityOf(curve)
  const rows = [WEB_SCALING.maxInstances, 48].flatMap((maxInstances) =>
    CACHED_SHARES.flatMap((cachedShare) =>
      spikesOf(curve, cachedShare, maxInstances).map(({ title, spike }) => {
        const { instances, refusedShare, recoveredAfterSeconds } = outcomeOf(spike, simulateWeb(spike))
        return [
          title,
          percent(cachedShare),
          figure(maxInstances),
          figure(instances),
          percent(refusedShare),
          recoveredAfterSeconds === undefined ? 'never' : `${figure(recoveredAfterSeconds / 60)} min`,
          figure(instances * list.prices.webInstance.dollars)
        ]
      })
    )
  )
  const demand = SPIKE.requestsPerSecond * FACTOR
  return [
    `## ${figure(FACTOR)} times that`,
    `${figure(demand)} requests/s at the edge, as ${figure(SPIKE.users * FACTOR)} users of then would make. Without the cache that is the work of ${Math.ceil(demand / capacity)} instances, with seven in ten ` +
      `answered by the edge of ${Math.ceil((demand * (1 - CACHED_SHARES[1])) / capacity)}.`,
    '![Requests answered and instances over time](scaling.svg)',
    table(
      [
        'scales on',
        'from the cache:',
        'most instances:',
        'instances after an hour:',
        'refused in the hour:',
        'all answered after:',
        'dollars an hour:'
      ],
      rows
    ),
    'No reactive scaling is in time for a spike that comes at once: an alarm takes minutes, an instance more, and the cool-down stands between two ' +
      'steps. What helps is the cache, and instances that are there before: `web_schedule` for what is known beforehand, a higher `web_instances.min` for what is not. ' +
      'CPU ends at 100 %, so it cannot tell a tier that is at its limit from one that is asked for ten times as much; requests can, but the step is the same.'
  ].join('\n\n')
}

function stepsSection(curve: readonly CurvePoint[]): string {
  const capacity = capacityOf(curve)
  const rows = STEPS.map((factor) => {
    const requestsPerSecond = SPIKE.requestsPerSecond * factor
    const needed = (cachedShare: number) => Math.ceil((requestsPerSecond * (1 - cachedShare)) / capacity)
    const outcomes = [WEB_SCALING.maxInstances, Math.max(WEB_SCALING.maxInstances, 2 * needed(CACHED_SHARES[1]))].map(
      (maxInstances) => {
        const spike = {
          requestsPerSecond,
          cachedShare: CACHED_SHARES[1],
          capacity,
          maxInstances,
          policy: 'both'
        } as const
        return outcomeOf(spike, simulateWeb(spike))
      }
    )
    return [
      figure(SPIKE.users * factor),
      figure(requestsPerSecond),
      ...CACHED_SHARES.map((share) => figure(needed(share))),
      ...outcomes.flatMap(({ refusedShare, recoveredAfterSeconds }) => [
        percent(refusedShare),
        recoveredAfterSeconds === undefined ? 'never' : `${figure(recoveredAfterSeconds / 60)} min`
      ])
    ]
  })
  const largest = SPIKE.requestsPerSecond * (STEPS.at(-1) ?? 0)
  return [
    '## From then to beyond',
    `The same spike in steps of ten, scaled on requests or CPU as \`terraform/\` has it, from ${WEB_SCALING.minInstances} instances, seven in ten answered by the edge: with prod's ` +
      `${WEB_SCALING.maxInstances} instances at the most, and with twice what it takes.`,
    table(
      [
        'users:',
        'requests/s:',
        'instances without the edge:',
        'with it:',
        `refused, at most ${WEB_SCALING.maxInstances}:`,
        'all answered after:',
        'refused, twice as many:',
        'all answered after:'
      ],
      rows
    ),
    `The last step, ${figure(largest)} requests/s, is beyond a new account: CloudFront's quota is 250,000 requests/s a distribution, an account's of EC2 counts vCPUs ` +
      '([deploy.md](deploy.md#from-an-empty-account)), and the firewall limits each address and each key. Growing by half every three minutes takes longer the farther it has to go: ' +
      'for such a day instances are set by `web_schedule`, and the cache is warmed.'
  ].join('\n\n')
}

function jobsSection(curve: readonly CurvePoint[]): string {
  const secondsPerJob = JOB_SENTENCES / capacityOf(curve)
  const rows = [SPIKE.users, SPIKE.users * FACTOR].map((jobCount) => {
    const fixed = simulateWorkers({ jobCount, secondsPerJob, maxTasks: WORKER_SCALING.minTasks })
    const scaled = simulateWorkers({ jobCount, secondsPerJob })
    return [
      figure(jobCount),
      `${figure(fixed.doneAfterSeconds / 60)} min`,
      `${figure(scaled.doneAfterSeconds / 60)} min`,
      figure(scaled.mostTasks)
    ]
  })
  return [
    '## Jobs, on backlog',
    `A job takes ${figure(secondsPerJob)} s. Workers are scaled to ${WORKER_SCALING.backlogPerTask} waiting jobs each, from ${WORKER_SCALING.minTasks} to ${WORKER_SCALING.maxTasks} tasks.`,
    table(['jobs at once:', 'one task:', 'scaled:', 'most tasks:'], rows)
  ].join('\n\n')
}

function costSection(curve: readonly CurvePoint[]): string {
  const speed = { capacity: capacityOf(curve), singleMs: curve[0]?.p50Ms ?? 0 }
  return [
    '## Cost of a million encodes',
    `Compute alone, in dollars: instances and tasks of two cores at ${percent(UTILISATION)} of this machine's capacity, a function of 3,538 MiB with this machine's time of a single request. ` +
      `Prices of us-east-1: ${list.asOf}. [deploy.md](deploy.md#what-it-costs) has the whole of a stage.`,
    table(
      ['', 'x86:', 'ARM, if as fast:'],
      pairsOf(encodeCosts(speed, UTILISATION)).map(([where, x86, arm]) => [where, figure(x86), figure(arm)])
    ),
    `No ARM instance was measured. One is the cheaper as long as it does more than ${percent(armBreakEven())} of what an x86 one does; \`npm run bench -- concurrency --only ours-int8\` on both says so. ` +
      `A function costs less than one c7i.large that runs all month below ${figure(functionBreakEvenMillions(speed))} million requests a month.`
  ].join('\n\n')
}

function pairsOf(costs: ReturnType<typeof encodeCosts>): (readonly [where: string, x86: number, arm: number])[] {
  return [...Map.groupBy(costs, ({ where }) => where)].map(([where, both]) => {
    const of = (architecture: string): number =>
      both.find((cost) => cost.architecture === architecture)?.dollarsPerMillion ?? Number.NaN
    return [where, of('x86'), of('ARM')] as const
  })
}
