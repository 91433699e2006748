/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { CallerHeaders } from './mentor-source.ts'

/** How a training stands, as the owner of the mentor is told. */
export type TrainingStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILURE'

/** A training as a {@link TrainingReporter} knows it: a job carries both. */
export interface RegisteredTraining {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
}

/** Another service that owns the mentors: it says who may train them, and is told how their trainings stand. */
export interface TrainingReporter {
  /**
   * Whether the caller may edit, and so train, a mentor.
   * @throws {ServiceError} BAD_GATEWAY or DEADLINE_EXCEEDED when the service does not say
   */
  mayTrain(mentorId: string, caller: CallerHeaders): Promise<boolean>
  /**
   * Announces a training, QUEUED.
   * @param idempotencyKey the same one announces the same training again
   * @returns the id and labels that the training's job is to have
   * @throws {ServiceError} BAD_GATEWAY or DEADLINE_EXCEEDED when the service does not take it
   */
  register(mentorId: string, caller: CallerHeaders, idempotencyKey: string | undefined): Promise<RegisteredTraining>
  /** The headers of the caller who asked for a training. */
  callerOf(training: RegisteredTraining): CallerHeaders
  /** Tells how a training stands. How it ended is told later when it cannot be now; never rejects. */
  tell(training: RegisteredTraining, status: TrainingStatus): Promise<void>
}
