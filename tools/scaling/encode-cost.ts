/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import list from '../aws-cost/prices.json' with { type: 'json' }

/** Cost of a million encodes on one platform, in dollars at list prices, without the edge, balancer and logs. */
export interface EncodeCost {
  readonly where: string
  readonly architecture: 'x86' | 'ARM'
  readonly dollarsPerMillion: number
}

/** What was measured, for one instance of two cores. */
export interface MeasuredSpeed {
  /** Requests a second at the most. */
  readonly capacity: number
  /** Time of a single request on an idle instance. */
  readonly singleMs: number
}

const INSTANCE = 'instance: c7i.large or c7g.large'
const FUNCTION_GIGABYTES = 3538 / 1024
const FARGATE_GIGABYTES = 4

/**
 * Prices a million encodes on instances, tasks and functions of two cores. Both architectures are taken to be as fast as this machine: the
 * price is known, the speed of the other one is not until `npm run bench -- concurrency` has run there.
 * @param utilisation share of the capacity that instances and tasks are run at; a function is paid for its calls
 */
export function encodeCosts({ capacity, singleMs }: MeasuredSpeed, utilisation: number): readonly EncodeCost[] {
  const { prices } = list
  const perMillion = (dollarsPerHour: number): number => (dollarsPerHour / 3600 / (capacity * utilisation)) * 1e6
  const perMillionCalls = (dollarsPerSecond: number): number =>
    prices.functionRequests.dollars +
    prices.httpApiRequests.dollars +
    // Lambda bills whole milliseconds.
    ((FUNCTION_GIGABYTES * Math.ceil(singleMs)) / 1000) * dollarsPerSecond * 1e6
  return [
    { where: INSTANCE, architecture: 'x86', dollarsPerMillion: perMillion(prices.webInstance.dollars) },
    { where: INSTANCE, architecture: 'ARM', dollarsPerMillion: perMillion(prices.armInstance.dollars) },
    {
      where: 'Fargate, 2 vCPU, 4 GB',
      architecture: 'x86',
      dollarsPerMillion: perMillion(task(prices.fargateCpu.dollars, prices.fargateMemory.dollars))
    },
    {
      where: 'Fargate, 2 vCPU, 4 GB',
      architecture: 'ARM',
      dollarsPerMillion: perMillion(task(prices.fargateArmCpu.dollars, prices.fargateArmMemory.dollars))
    },
    {
      where: 'function behind an HTTP API',
      architecture: 'x86',
      dollarsPerMillion: perMillionCalls(prices.functionSeconds.dollars)
    },
    {
      where: 'function behind an HTTP API',
      architecture: 'ARM',
      dollarsPerMillion: perMillionCalls(prices.functionArmSeconds.dollars)
    }
  ]
}

/** Dollars an hour of a Fargate task. */
function task(cpu: number, memory: number): number {
  return 2 * cpu + FARGATE_GIGABYTES * memory
}

/** Share of an x86 instance's speed above which an ARM instance is the cheaper one. */
export function armBreakEven(): number {
  return list.prices.armInstance.dollars / list.prices.webInstance.dollars
}

/** Requests a month below which a function costs less than one instance that runs all the time, in millions. */
export function functionBreakEvenMillions(speed: MeasuredSpeed): number {
  const perMillion = encodeCosts(speed, 1).find(({ where }) => where.startsWith('function'))?.dollarsPerMillion ?? 0
  return (list.hoursPerMonth * list.prices.webInstance.dollars) / perMillion
}
