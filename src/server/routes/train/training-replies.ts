/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { ModelFigures } from '../../../learning/model-figures.ts'

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
export type TrainReply = Static<typeof TrainReply>

/** Schema of a training's result. */
const TrainingResult = Type.Object(
  {
    version: Type.Integer(),
    architecture: Type.String(),
    promotion: Type.Union([
      Type.Object({ outcome: Type.Literal('promoted') }),
      Type.Object({ outcome: Type.Literal('refused'), reason: Type.String() })
    ]),
    figures: ModelFigures,
    notMeasured: Type.Array(Type.String(), { description: 'What could not be measured, for people.' }),
    answerCount: Type.Integer({ description: 'The same as `classCount`.' }),
    classCount: Type.Integer(),
    sampleCount: Type.Integer(),
    encodedCount: Type.Integer({ description: 'Texts that no earlier training had encoded.' }),
    durationMs: Type.Number()
  },
  { description: 'The version that was made, and how good it is.' }
)
export type TrainingResult = Static<typeof TrainingResult>

/** Schema of a training's status. */
export const TrainingStatus = {
  state: Accepted.status,
  created: Type.String({ format: 'date-time' }),
  updated: Type.String({ format: 'date-time' }),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  stage: Type.Enum(['READING', 'ENCODING', 'FITTING', 'STORING'], { description: 'Stage that the training is in.' }),
  result: Type.Optional(TrainingResult),
  error: Type.Optional(Type.String({ description: 'Error message of the last failed try.' }))
}
/** Reply that tells how a training of a mentor stands. */
export const StatusReply = Type.Object({ data: Type.Object({ ...Accepted, ...TrainingStatus }) })
export type StatusReply = Static<typeof StatusReply>
