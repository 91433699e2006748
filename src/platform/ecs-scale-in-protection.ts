/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobLog } from '../jobs/job-runner.ts'

/** How to build an {@link EcsScaleInProtection}; what is left out has its default. */
export interface EcsScaleInProtectionOptions {
  /** Address of the ECS agent, which ECS passes to a task in `ECS_AGENT_URI`. */
  readonly agentUri: string
  /** How long the oldest running job has been running; `undefined` while none is. */
  readonly oldestJobMs: () => number | undefined
  readonly log: Pick<JobLog, 'info' | 'warn'>
  /** Jobs that have run for this long are protected. Shorter ones can finish while the task is being stopped. @default 30000 */
  readonly protectAfterMs?: number
  /** Interval between two checks of the jobs. @default 5000 */
  readonly everyMs?: number
}

/** Time after which ECS ends a protection that is not renewed, so that a hanging task is not kept forever. */
const EXPIRES_IN_MINUTES = 10
const RENEW_AFTER_MS = (EXPIRES_IN_MINUTES * 60_000) / 2
/** Longer than a local call takes: the agent is on the same machine, but calls ECS itself. */
const REQUEST_DEADLINE_MS = 5000

/**
 * Protects this ECS task from scale-in and deployments while a long job runs. Without it, ECS picks the tasks to stop by their
 * age, and a job that needs longer than the two minutes of a stopping task starts again elsewhere.
 * A failed call is logged and retried. Nothing is lost in the meantime, since an unprotected job is done again elsewhere.
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 */
export class EcsScaleInProtection {
  readonly #url: string
  readonly #oldestJobMs: () => number | undefined
  readonly #log: Pick<JobLog, 'info' | 'warn'>
  readonly #protectAfterMs: number
  readonly #everyMs: number
  #protectedAtMs: number | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined

  constructor(options: EcsScaleInProtectionOptions) {
    this.#url = `${options.agentUri}/task-protection/v1/state`
    this.#oldestJobMs = options.oldestJobMs
    this.#log = options.log
    this.#protectAfterMs = options.protectAfterMs ?? 30_000
    this.#everyMs = options.everyMs ?? 5000
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.look(), this.#everyMs)
  }

  /** Stops checking, and ends the protection if there is one. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    if (this.#protectedAtMs !== undefined) await this.#set(false)
  }

  /** Checks the jobs now, and protects the task or ends its protection. Calls during a check share it. */
  async look(): Promise<void> {
    this.#looking ??= this.#adapt().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  async #adapt(): Promise<void> {
    const hasLongJob = (this.#oldestJobMs() ?? 0) >= this.#protectAfterMs
    if (!hasLongJob && this.#protectedAtMs !== undefined) await this.#set(false)
    const isDue = this.#protectedAtMs === undefined || performance.now() - this.#protectedAtMs > RENEW_AFTER_MS
    if (hasLongJob && isDue) await this.#set(true)
  }

  async #set(isProtected: boolean): Promise<void> {
    try {
      const reply = await fetch(this.#url, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ProtectionEnabled: isProtected,
          ...(isProtected && { ExpiresInMinutes: EXPIRES_IN_MINUTES })
        }),
        signal: AbortSignal.timeout(REQUEST_DEADLINE_MS)
      })
      const answer = await reply.text()
      // The agent answers 200 even when ECS refuses; the reason is in the body.
      if (!reply.ok || !answer.includes('"protection"'))
        throw new Error(`the agent answered ${reply.status}: ${answer}`)
    } catch (error) {
      this.#log.warn({ err: error }, `Cannot ${isProtected ? 'protect' : 'unprotect'} the ECS task`)
      return
    }
    this.#log.info({}, isProtected ? 'the ECS task is protected: a long job is running' : 'the ECS task is unprotected')
    this.#protectedAtMs = isProtected ? performance.now() : undefined
  }
}
