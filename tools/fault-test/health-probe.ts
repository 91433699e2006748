/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import type { HealthSeen, ProbeOrder } from './health-watch.ts'

/*
 * Asks for the health of a process at fixed times, whether or not the last answer has come, each time over a connection
 * of its own. It is a thread, so that the test's own work does not look like slowness of the service.
 */
const { url, everyMs, giveUpMs }: ProbeOrder = workerData
const latenciesMs: number[] = []
let failedCount = 0
const underWay = new Set<Promise<void>>()

async function probe(): Promise<void> {
  const beganMs = performance.now()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const asked = request(url, { agent: false, timeout: giveUpMs }, (reply) => {
    reply.resume().once('end', () => resolve(reply.statusCode === 200))
  })
  asked.once('timeout', () => asked.destroy(new Error('no answer in time')))
  asked.once('error', () => resolve(false))
  asked.end()
  if (!(await promise)) failedCount += 1
  latenciesMs.push(performance.now() - beganMs)
}

const timer = setInterval(() => {
  const probing = probe().finally(() => underWay.delete(probing))
  underWay.add(probing)
}, everyMs)

parentPort?.once('message', () => void tell())

async function tell(): Promise<void> {
  clearInterval(timer)
  await Promise.all(underWay)
  latenciesMs.sort((a, b) => a - b)
  const told: HealthSeen = {
    probeCount: latenciesMs.length,
    failedCount,
    worstMs: latenciesMs.at(-1) ?? 0,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0
  }
  parentPort?.postMessage(told)
}
