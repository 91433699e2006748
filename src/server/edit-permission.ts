/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyRequest } from 'fastify'
import type { TrainingReporter } from '../mentor/training-reporter.ts'
import { assertMayRead, callerHeadersOf, callerOf, notAuthorized } from './auth.ts'

/**
 * Checks that the caller may change what a mentor answers, by the token and by the service that owns the mentor, if any.
 * @param reporter undefined when mentors are kept here
 * @throws {ServiceError} FORBIDDEN for any other caller; BAD_GATEWAY or DEADLINE_EXCEEDED when the service cannot be asked
 */
export async function assertMayEdit(
  request: FastifyRequest,
  mentorId: string,
  reporter: TrainingReporter | undefined
): Promise<void> {
  assertMayRead(callerOf(request), mentorId)
  if (reporter !== undefined && !(await reporter.mayTrain(mentorId, callerHeadersOf(request)))) throw notAuthorized()
}
