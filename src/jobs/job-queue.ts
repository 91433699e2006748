/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Job } from './job.ts'
import type { Priority } from './job-status.ts'

/** A hint that a job may be waiting. The table decides whether it is. */
export interface JobMessage {
  readonly jobId: string
  readonly type: string
  /** Token of the job's last lease, when the message is a dead letter that someone moved back to the queue. */
  readonly deadToken: number | undefined
  /** Identifies this delivery of the message. */
  readonly receipt: string
}

/** How to receive. */
export interface ReceiveRequest {
  /** The lane whose messages go first. */
  readonly first: Priority
  /** The most messages, at most 10. */
  readonly limit: number
  /** Visibility timeout: the message is visible again after this, unless it is deleted or hidden for longer. */
  readonly hiddenMs: number
  /** How long to wait for a first message, at most 20 s. */
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Messages that hint at jobs, in two lanes. A message may come twice, late, or not at all, so it only tells a worker where
 * to look. It carries its job's trace headers, for other readers of the queue.
 */
export interface JobQueue {
  /** @param delayMs time until the message is visible */
  send(job: Pick<Job, 'id' | 'type' | 'priority' | 'labels'>, delayMs?: number): Promise<void>
  /** Receives messages of the first lane, or else of the other, and waits for a first one. */
  receive(request: ReceiveRequest): Promise<JobMessage[]>
  /** Hides a message for `forMs` from now on; 0 makes it visible at once. A receipt that is too old does nothing. */
  hide(receipt: string, forMs: number): Promise<void>
  /** Deletes a message. A receipt that is too old does nothing. */
  delete(receipt: string): Promise<void>
  /** Approximate numbers of messages: waiting or delayed, and received. */
  count(): Promise<{ readonly waitingCount: number; readonly receivedCount: number }>
  /** Sends a copy of a dead letter. Moving it back to the queue by hand redrives the job. */
  sendDeadLetter(job: Pick<Job, 'id' | 'type' | 'labels'>, token: number): Promise<void>
  /** Removes the copy of a dead letter that was redriven. */
  removeDeadLetter(jobId: string): Promise<void>
}
