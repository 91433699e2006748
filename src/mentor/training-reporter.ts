/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { CallerHeaders } from './mentor-source.ts'

/** Status of a training, as reported to the owner of the mentor. */
export type TrainingStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILURE'

/** Id and labels of a training at a {@link TrainingReporter}; its job has the same. */
export interface RegisteredTraining {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
}

/** Reports trainings to another service that owns the mentors and decides who may train them. */
export interface TrainingReporter {
  /**
   * Whether the caller may edit, and so train, a mentor.
   * @throws {ServiceError} BAD_GATEWAY or DEADLINE_EXCEEDED when the service does not answer
   */
  mayTrain(mentorId: string, caller: CallerHeaders): Promise<boolean>
  /**
   * Registers a training as QUEUED.
   * @param idempotencyKey a repeated key registers the same training again
   * @returns the id and labels for the training's job
   * @throws {ServiceError} BAD_GATEWAY or DEADLINE_EXCEEDED when the service does not accept it
   */
  register(mentorId: string, caller: CallerHeaders, idempotencyKey: string | undefined): Promise<RegisteredTraining>
  /** The headers of the caller who requested a training. */
  callerOf(training: RegisteredTraining): CallerHeaders
  /** Reports the status of a training; never rejects. A final status that cannot be reported now is reported later. */
  tell(training: RegisteredTraining, status: TrainingStatus): Promise<void>
}
