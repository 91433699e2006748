/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { PermanentJobError, WEBHOOK_JOB_TYPE, isEnded, type JobPolicy, type NewJob } from '../../src/jobs/job.ts'
import type { Claim, ClaimRequest } from '../../src/jobs/job-backend.ts'
import { JobRunner, type JobContext, type JobHandler } from '../../src/jobs/job-runner.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { TableJobBackend } from '../../src/jobs/table-job-backend.ts'
import { Random } from './random.ts'
import { RemoteQueue, SimulatedQueue } from './simulated-queue.ts'
import { RemoteTable, SimulatedTable, valueOf } from './simulated-table.ts'
import { BrokenPromise, checkAllEnded } from './witness.ts'
import { SimulatedProcess, World } from './world.ts'

/*
 * Jobs on many machines: real JobRunners on real TableJobBackends, whose table and queue are simulated. Requests and replies
 * are lost, messages come twice or not at all, processes stall, stop and are killed, clocks disagree.
 */
const POLICY: JobPolicy = { maxReceives: 3, retryBaseMs: 500, retryMaxMs: 2000, retentionMs: 20 * 86_400_000 }
const LEASE_MS = 3000
const WORKER_COUNT = 2
const JOB_COUNT = 4
/** Duration of faults, in milliseconds. */
const FAULTS_MS = 15_000
/** Time after the faults within which every job must end: enough for some rounds of lost messages, tries and waits. */
const MEND_MS = 600_000

/** Records the token of each claim, so that a handler can report it. */
class WitnessedBackend extends TableJobBackend {
  readonly tokens = new Map<object, number>()

  override async claim(request: ClaimRequest): Promise<readonly Claim[]> {
    const claims = await super.claim(request)
    for (const { job, lease } of claims) this.tokens.set(job, lease.token)
    return claims
  }
}

/** One schedule, from its seed. */
export class FleetSchedule {
  readonly #random: Random
  readonly #world: World
  readonly #table: SimulatedTable
  readonly #queue: SimulatedQueue
  readonly #acceptedIds = new Set<string>()
  readonly #processes = new Set<SimulatedProcess>()

  constructor(seed: number) {
    this.#random = new Random(seed)
    this.#world = new World(this.#random)
    this.#table = new SimulatedTable(this.#world, POLICY)
    this.#queue = new SimulatedQueue(this.#world)
  }

  /** @throws {BrokenPromise} */
  async run(): Promise<void> {
    for (let worker = 0; worker < WORKER_COUNT; worker += 1) this.#startWorker()
    for (let job = 0; job < JOB_COUNT; job += 1) {
      this.#world.after(this.#random.below(FAULTS_MS), () => void this.#enqueue(job))
    }
    this.#world.after(FAULTS_MS, () => {
      this.#world.areFaultsOn = false
    })
    await this.#world.run(FAULTS_MS, () => false)
    await this.#world.run(FAULTS_MS + MEND_MS, () => this.#haveAllEnded())
    for (const process of this.#processes) process.kill()
    checkAllEnded(this.#acceptedIds, (id) => this.#table.items.get(id)?.record)
    this.#checkNotices()
  }

  #startWorker(): void {
    const process = this.#newProcess()
    const backend = this.#backendOf(process)
    const work: JobHandler = async (_input, context) => this.#work(process, backend, context)
    const runner = new JobRunner({
      backend,
      handlers: new Map([
        ['work', work],
        [WEBHOOK_JOB_TYPE, work]
      ]),
      concurrency: 1 + this.#random.below(2),
      leaseMs: LEASE_MS,
      sweepEveryMs: LEASE_MS,
      drainMs: 1000,
      timers: process
    })
    runner.start()
    this.#world.after(this.#random.below(2 * FAULTS_MS), () => this.#disturb(process, runner))
  }

  /** Once in its life, a worker stalls, is stopped or is killed; another one replaces it. */
  #disturb(process: SimulatedProcess, runner: JobRunner): void {
    if (!this.#world.areFaultsOn) return
    const draw = this.#random.next()
    if (draw < 0.4) {
      process.stall(this.#random.below(3 * LEASE_MS))
      this.#world.after(3 * LEASE_MS, () => this.#disturb(process, runner))
      return
    }
    if (draw < 0.7) void runner.stop()
    else process.kill()
    this.#world.after(this.#random.below(2000), () => this.#startWorker())
  }

  async #work(process: SimulatedProcess, { tokens }: WitnessedBackend, context: JobContext) {
    const token = tokens.get(context.job)
    if (!this.#world.areFaultsOn) return packPayload(`under ${token}`)
    const length = this.#random.chance(0.1) ? 3 * LEASE_MS : 800
    await process.sleep(this.#random.below(length), context.signal)
    context.progress(this.#random.next())
    await process.sleep(this.#random.below(length), context.signal)
    const draw = this.#random.next()
    if (draw < 0.25) throw new Error(`under ${token}, broken`)
    if (draw < 0.3) throw new PermanentJobError(`under ${token}, wrong`)
    return packPayload(`under ${token}`)
  }

  /** A caller: enqueues a job, repeating the call until it is accepted; then perhaps cancels or redrives one. */
  async #enqueue(n: number): Promise<void> {
    const process = this.#newProcess()
    const backend = this.#backendOf(process)
    const job: NewJob = {
      id: `job-${n}`,
      type: 'work',
      input: packPayload(n),
      ...(this.#random.chance(0.4) && { concurrencyGroup: 'g' }),
      ...(this.#random.chance(0.3) && { callbackUrl: 'https://example.org' }),
      ...(this.#random.chance(0.3) && { idempotencyKey: 'key' })
    }
    await this.#untilAnswered(process, async () => {
      const enqueued = await backend.enqueue(job)
      if (enqueued.outcome !== 'conflict') this.#acceptedIds.add(enqueued.job.id)
    })
    await process.sleep(this.#random.below(6000))
    const [id] = [...this.#acceptedIds].slice(this.#random.below(this.#acceptedIds.size))
    if (id === undefined || this.#random.chance(0.4)) return
    const isRedrive = this.#random.chance(0.5)
    await this.#untilAnswered(process, async () => (isRedrive ? backend.redrive(id) : backend.cancel(id)))
  }

  async #untilAnswered(process: SimulatedProcess, ask: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; tries < 20; tries += 1) {
      try {
        await ask()
        return
      } catch (error) {
        // 503: repeating the call is safe. Anything else is a bug.
        if (!(error instanceof Error && 'statusCode' in error && error.statusCode === 503)) this.#world.fail(error)
        await process.sleep(this.#random.below(500))
      }
    }
  }

  #newProcess(): SimulatedProcess {
    const process = new SimulatedProcess(this.#world)
    this.#processes.add(process)
    return process
  }

  #backendOf(process: SimulatedProcess): WitnessedBackend {
    const options = { policy: POLICY, clock: process, timers: process, random: () => this.#random.next() }
    return new WitnessedBackend(new RemoteTable(this.#table, process), new RemoteQueue(this.#queue, process), options)
  }

  #haveAllEnded(): boolean {
    return this.#table.items.values().every(({ record }) => isEnded(record.job))
  }

  /** Each job with a callback has as many notices as ends. */
  #checkNotices(): void {
    const noticed = [...this.#table.items.values()]
      .filter(({ record }) => record.job.type === WEBHOOK_JOB_TYPE)
      .map(({ input }) => valueOf(input))
    for (const { job } of [...this.#table.items.values()].map(({ record }) => record)) {
      if (job.callbackUrl === undefined) continue
      const count = noticed.filter((notice) => isOf(notice, job.id)).length
      if (count === this.#table.endCounts.get(job.id)) continue
      throw new BrokenPromise(
        `job ${job.id} ended ${this.#table.endCounts.get(job.id)} times and told so ${count} times`
      )
    }
  }
}

function isOf(notice: unknown, id: string): boolean {
  return typeof notice === 'object' && notice !== null && 'id' in notice && notice.id === id
}
