/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type } from 'typebox'

const Accepted = {
  id: Type.String(),
  mentor: Type.String(),
  status: Type.Enum(['QUEUED', 'IN_PROGRESS', 'SUCCESS', 'FAILURE']),
  statusUrl: Type.String()
}

/** Reply to a request to train a mentor. */
export const TrainReply = Type.Union([
  Type.Object({ data: Type.Object(Accepted) }),
  Type.Object({ message: Type.String({ description: 'The reply to a ping.' }) })
])
/** Schema of a training's status. */
export const TrainingStatus = {
  state: Accepted.status,
  created: Type.String({ format: 'date-time' }),
  updated: Type.String({ format: 'date-time' }),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  stage: Type.Enum(['READING', 'ENCODING', 'FITTING', 'STORING'], { description: 'What the progress is in.' }),
  result: Type.Optional(Type.Unknown({ description: 'The version that was made, and how good it is.' })),
  error: Type.Optional(Type.String({ description: 'What the last failed try said.' }))
}
/** Reply that tells how a training of a mentor stands. */
export const StatusReply = Type.Object({ data: Type.Object({ ...Accepted, ...TrainingStatus }) })
