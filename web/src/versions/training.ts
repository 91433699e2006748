/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import type { TrainReply } from '../../../src/server/routes/classifiers/classifier-replies.ts'
import type { StatusReply } from '../../../src/server/routes/train/training-replies.ts'
import { ask, askQuietly, ServiceFault } from '../service/ask.ts'
import type { ServiceRequest } from '../service/service-request.ts'
import { pause } from '../service/pause.ts'
import { faultSentence } from '../service/use-task.ts'

/** Steps of a training, in order. */
export const STAGES = [
  'READING',
  'ENCODING',
  'FITTING',
  'STORING'
] as const satisfies readonly StatusReply['data']['stage'][]

/** A training that was asked for here, as it was when last looked at. */
export type Training = Pick<StatusReply['data'], 'status' | 'progress' | 'error' | 'result'> &
  Partial<Pick<StatusReply['data'], 'stage'>>

/** What the service says of a training that it has accepted; of a table also how it was understood. */
export type AcceptedTraining = Pick<TrainReply['data'], 'statusUrl'> & Partial<TrainReply['data']>

/** Trainings by the path of what they train; they go on whichever screen is looked at. */
const trainings = signal<Readonly<Record<string, Training>>>({})

const POLL_MS = 300
/** A lost connection is waited for this much longer. */
const LOST_POLL_MS = 2000

export function trainingOf(path: string): Training | undefined {
  return trainings.value[path]
}

export function isTraining(path: string): boolean {
  const status = trainings.value[path]?.status
  return status === 'QUEUED' || status === 'IN_PROGRESS'
}

function note(path: string, training: Training): void {
  trainings.value = { ...trainings.value, [path]: training }
}

/**
 * Asks for a training, and follows it until it has ended.
 * @param path of what is trained
 * @returns what the reply to the request said
 */
export async function train(
  path: string,
  request: ServiceRequest
): Promise<{ accepted: AcceptedTraining; ended: Promise<Training> }> {
  const { data } = await ask<{ data: AcceptedTraining }>(request)
  note(path, { status: 'QUEUED', progress: 0 })
  return { accepted: data.data, ended: follow(path, data.data.statusUrl) }
}

async function follow(path: string, statusUrl: string): Promise<Training> {
  for (;;) {
    try {
      const { data } = await askQuietly<StatusReply>({ method: 'GET', path: statusUrl })
      note(path, data.data)
      if (data.data.status === 'SUCCESS' || data.data.status === 'FAILURE') return data.data
      await pause(POLL_MS)
    } catch (error) {
      if (error instanceof ServiceFault && error.status === undefined) {
        await pause(LOST_POLL_MS)
      } else {
        const failed: Training = { status: 'FAILURE', progress: 0, error: faultSentence(error) }
        note(path, failed)
        return failed
      }
    }
  }
}
