/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { WEB_SCALING, WORKER_SCALING } from '../../../tools/scaling/assumptions.ts'
import { armBreakEven, encodeCosts, functionBreakEvenMillions } from '../../../tools/scaling/encode-cost.ts'
import { capacityOf, requestsPerSecondAt, requestTargetOf } from '../../../tools/scaling/service-curve.ts'
import { outcomeOf, simulateWeb, type WebSpike } from '../../../tools/scaling/simulate-web.ts'
import { simulateWorkers } from '../../../tools/scaling/simulate-workers.ts'

const CURVE = [
  { clientCount: 1, requestsPerSecond: 100, p50Ms: 10, p95Ms: 12 },
  { clientCount: 4, requestsPerSecond: 250, p50Ms: 15, p95Ms: 20 },
  { clientCount: 8, requestsPerSecond: 240, p50Ms: 32, p95Ms: 40 }
]
const SPIKE: WebSpike = { requestsPerSecond: 1000, cachedShare: 0, policy: 'requests', capacity: 100 }

test('the service curve: its most, between its points, and beyond them', () => {
  assert.equal(capacityOf(CURVE), 250)
  assert.deepEqual(
    [0, 0.5, 1, 2, 4, 8, 100].map((count) => requestsPerSecondAt(CURVE, count)),
    [0, 50, 100, 150, 250, 240, 240]
  )
  assert.equal(requestTargetOf(CURVE, 0.6), 9000)
  assert.throws(() => capacityOf([]), RangeError)
})

test('simulateWeb() keeps a tier that can do it as it is', () => {
  const course = simulateWeb({ ...SPIKE, requestsPerSecond: 150 })
  assert(course.every(({ instances, refusedPerSecond }) => instances === 2 && refusedPerSecond === 0))
})

test('simulateWeb() grows by half after two known minutes, an instance start and a cool-down between the steps', () => {
  const course = simulateWeb(SPIKE)
  const steps = course.flatMap(({ instances }, index) =>
    instances === course[index - 1]?.instances ? [] : [[index + 1, instances]]
  )
  // Two minutes are known after the third; 180 s later the first new instance starts, and the next step is 360 s after the first.
  assert.deepEqual(steps.slice(0, 4), [
    [1, 2],
    [360, 3],
    [720, 4],
    [1080, 6]
  ])
  assert.equal(course[0]?.answeredPerSecond, 200)
  assert.equal(course[0]?.refusedPerSecond, 800)
})

test('simulateWeb() ends at the most there may be, and at what is needed', () => {
  assert.equal(outcomeOf(SPIKE, simulateWeb({ ...SPIKE, requestsPerSecond: 1e6 })).instances, 12)
  const { recoveredAfterSeconds, refusedShare } = outcomeOf(SPIKE, simulateWeb(SPIKE))
  assert(recoveredAfterSeconds !== undefined && recoveredAfterSeconds > 1080 && refusedShare > 0.1)
})

test('the edge’s share is no work for the web tier', () => {
  const cached = { ...SPIKE, cachedShare: 0.9 }
  assert.deepEqual(outcomeOf(cached, simulateWeb(cached)), { instances: 2, refusedShare: 0, recoveredAfterSeconds: 0 })
})

test('CPU ends at 100 %, and asks for no more of a tier that is far beyond it; without refusals it scales at its target', () => {
  const cpu = { ...SPIKE, policy: 'cpu' } as const
  assert.equal(outcomeOf(cpu, simulateWeb({ ...cpu, requestsPerSecond: 110 })).instances, 2)
  assert.equal(outcomeOf(cpu, simulateWeb({ ...cpu, requestsPerSecond: 130 })).instances, 3)
  const both = { ...SPIKE, policy: 'both', requestsPerTargetPerMinute: 1e9 } as const
  assert.deepEqual(simulateWeb(both), simulateWeb(cpu), 'both is the larger')
})

test('a tier that cannot grow enough never answers all', () => {
  const small = { ...SPIKE, maxInstances: 3 }
  assert.deepEqual(outcomeOf(small, simulateWeb(small)).recoveredAfterSeconds, undefined)
})

test('simulateWorkers() does a burst with one task, and sooner with more', () => {
  assert.deepEqual(simulateWorkers({ jobCount: 10, secondsPerJob: 2 }), { mostTasks: 1, doneAfterSeconds: 20 })
  const burst = { jobCount: 4000, secondsPerJob: 1 }
  assert.equal(simulateWorkers({ ...burst, maxTasks: 1 }).doneAfterSeconds, 4000)
  // 180 s until target tracking acts, 90 s until the tasks start; then 20 of them have the rest.
  assert.deepEqual(simulateWorkers(burst), { mostTasks: 20, doneAfterSeconds: 269 + Math.ceil((4000 - 269) / 20) })
  assert.throws(() => simulateWorkers({ jobCount: 1, secondsPerJob: 0 }), RangeError)
})

test('encodeCosts() counts an instance by its hours and a function by its calls', () => {
  const [x86, arm] = encodeCosts({ capacity: 1000, singleMs: 2.2 }, 0.5)
  // An hour of 0.08925 dollars has 1.8 million encodes at half of 1,000 a second.
  assert(Math.abs((x86?.dollarsPerMillion ?? 0) - 0.08925 / 1.8) < 1e-9)
  assert(Math.abs((arm?.dollarsPerMillion ?? 0) / (x86?.dollarsPerMillion ?? 1) - armBreakEven()) < 1e-9)
  const called = encodeCosts({ capacity: 1000, singleMs: 2.2 }, 0.5).find(({ where }) => where.startsWith('function'))
  assert(Math.abs((called?.dollarsPerMillion ?? 0) - (1.2 + (3538 / 1024) * 0.003 * 16.6667)) < 1e-4)
  assert(functionBreakEvenMillions({ capacity: 1000, singleMs: 2.2 }) > 40)
})

function valueOf(text: string, name: string): number {
  return Number(new RegExp(`${name}\\s*=\\s*(?:optional\\(number, )?(\\d+)`).exec(text)?.[1])
}

test('the model scales as Terraform does', async () => {
  const variables = await readFile(new URL('../../../terraform/variables.tf', import.meta.url), 'utf8')
  const scaling = await readFile(new URL('../../../terraform/scaling.tf', import.meta.url), 'utf8')
  const prod = await readFile(new URL('../../../terraform/stages/prod.tfvars', import.meta.url), 'utf8')
  const [web = '', workers = ''] = ['web_scaling', 'worker_scaling'].map(
    (name) => new RegExp(`variable "${name}" \\{.*?\\n\\}`, 's').exec(variables)?.[0]
  )
  assert.deepEqual(
    [
      valueOf(web, 'requests_per_target_per_minute'),
      valueOf(web, 'cpu_percent'),
      valueOf(web, 'out_after_minutes'),
      valueOf(web, 'out_cooldown_seconds'),
      Number(/"PercentChangeInCapacity", adjustment = (\d+)/.exec(scaling)?.[1]),
      ...[/web_instances\s*= \{ min = (\d+)/, /web_instances\s*= \{ min = \d+, max = (\d+)/].map((pattern) =>
        Number(pattern.exec(prod)?.[1])
      )
    ],
    Object.values(WEB_SCALING)
  )
  assert.deepEqual(
    [
      valueOf(workers, 'backlog_per_task'),
      valueOf(workers, 'out_cooldown_seconds'),
      ...[/worker_tasks\s*= \{ min = (\d+)/, /worker_tasks\s*= \{ min = \d+, max = (\d+)/].map((pattern) =>
        Number(pattern.exec(prod)?.[1])
      )
    ],
    Object.values(WORKER_SCALING)
  )
})
