/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import list from './prices.json' with { type: 'json' }

/** A stage's size and monthly load: the assumptions of a cost estimate. */
export interface Size {
  readonly name: string
  readonly instancePrice: 'webInstance' | 'devInstance'
  /** Instances of the web tier, on average. */
  readonly instances: number
  /** Worker tasks of 1 vCPU and 2 GB, on average; a stage that sleeps has a part of one. */
  readonly workers: number
  readonly natGateways: number
  /** Requests at the edge, in millions. */
  readonly millionRequests: number
  /** The part of them that the cache answers, 0 to 1. */
  readonly cachedShare: number
  /** Jobs, in millions. */
  readonly millionJobs: number
  readonly storedGigabytes: number
}

/** The sizes of docs/deploy.md: stages/dev.tfvars, a small prod, and a busy one. */
export const SIZES: readonly Size[] = [
  {
    name: 'dev',
    instancePrice: 'devInstance',
    instances: 1,
    workers: 0.1,
    natGateways: 1,
    millionRequests: 0.1,
    cachedShare: 0.5,
    millionJobs: 0.001,
    storedGigabytes: 1
  },
  {
    name: 'small',
    instancePrice: 'webInstance',
    instances: 2,
    workers: 1,
    natGateways: 2,
    millionRequests: 10,
    cachedShare: 0.5,
    millionJobs: 0.1,
    storedGigabytes: 20
  },
  {
    name: 'large',
    instancePrice: 'webInstance',
    instances: 8,
    workers: 6,
    natGateways: 3,
    millionRequests: 500,
    cachedShare: 0.7,
    millionJobs: 5,
    storedGigabytes: 500
  }
]

/** A reply of 384 numbers is 4.6 KB of JSON, 1.8 KB compressed, with its headers. */
const GIGABYTES_PER_MILLION_REPLIES = 2.3
/** One line of log for a request that reaches the service. */
const LOG_GIGABYTES_PER_MILLION = 0.3
const CUSTOM_METRICS = 40
const ALARM_METRICS = 30
const DISK_GIGABYTES = 20

/** Monthly cost of the parts of a stage, in dollars. */
export type Costs = Readonly<Record<string, number>>

/** Computes the monthly cost of a stage, part by part, at the list prices of prices.json. */
export function costsOf(size: Size): Costs {
  const { hoursPerMonth: hours } = list
  const missed = size.millionRequests * (1 - size.cachedShare)
  return {
    'web tier': size.instances * (hours * price(size.instancePrice) + DISK_GIGABYTES * price('disk')),
    'load balancer': hours * (price('balancer') + Math.max(1, missed / 50) * price('capacityUnit')),
    workers: size.workers * hours * (price('fargateCpu') + 2 * price('fargateMemory')),
    'NAT gateways': size.natGateways * hours * price('natGateway') + size.storedGigabytes * price('natGigabyte'),
    // The store is read twice for a call: for the key, and for the revision.
    CloudFront:
      size.millionRequests * (price('edgeRequests') + price('edgeFunction') + 2 * price('keyValueReads')) +
      size.millionRequests * GIGABYTES_PER_MILLION_REPLIES * price('edgeGigabyte'),
    firewall: price('firewall') + size.millionRequests * price('firewallRequests'),
    // A job is sent, received, extended and deleted, in all some 6 calls; written 5 times and read 5 times.
    'queues, table, bucket':
      size.millionJobs * (6 * price('queueRequests') + 5 * price('tableWrites') + 5 * price('tableReads')) +
      size.storedGigabytes * price('bucketGigabyte'),
    'logs, metrics, alarms':
      missed * LOG_GIGABYTES_PER_MILLION * price('logGigabyte') +
      CUSTOM_METRICS * price('metric') +
      ALARM_METRICS * price('alarmMetric') +
      price('dashboard'),
    'keys and secrets': 2 * price('kmsKey') + 3 * price('secret')
  }
}

/** The table of docs/deploy.md, in Markdown; whole dollars. */
export function costTable(): string {
  const columns = SIZES.map((size) => costsOf(size))
  const parts = Object.keys(columns[0] ?? {})
  const totals = columns.map((costs) => Object.values(costs).reduce((sum, value) => sum + value, 0))
  return [
    `| dollars a month | ${SIZES.map(({ name }) => name).join(' | ')} |`,
    `| --- |${SIZES.map(() => ' ---: |').join('')}`,
    ...parts.map((part) =>
      row(
        part,
        columns.map((costs) => costs[part] ?? 0)
      )
    ),
    row('**together**', totals),
    ''
  ].join('\n')
}

function price(name: keyof typeof list.prices): number {
  return list.prices[name].dollars
}

/** A line of the table, in whole dollars. */
function row(name: string, values: readonly number[]): string {
  return `| ${name} | ${values.map((value) => value.toFixed(0)).join(' | ')} |`
}
