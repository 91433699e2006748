/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { DroppedView } from '../mentors/mentor-replies.ts'
import { TrainingStatus } from '../train/training-replies.ts'

/** Schema of a signature's column in replies. */
const ColumnView = Type.Object({ name: Type.String(), type: Type.Enum(['text', 'number']) })

/** Reply that lists classifiers. */
export const ClassifierList = Type.Object({
  data: Type.Array(
    Type.Object({
      classifier: Type.String(),
      live: Type.Union([Type.Integer(), Type.Null()]),
      versionCount: Type.Integer(),
      architecture: Type.String({ description: 'Architecture of the live version, or else of the newest.' }),
      features: Type.Array(ColumnView),
      label: ColumnView,
      classCount: Type.Integer(),
      accuracy: Type.Union([Type.Number(), Type.Null()], { description: 'Out of fold.' }),
      updated: Type.String({ format: 'date-time' })
    })
  )
})
export type ClassifierList = Static<typeof ClassifierList>

const AcceptedTraining = {
  id: Type.String(),
  classifier: Type.String(),
  status: Type.Enum(['QUEUED', 'IN_PROGRESS', 'SUCCESS', 'FAILURE']),
  statusUrl: Type.String()
}

/** Reply to a request to train a classifier. */
export const TrainReply = Type.Object({
  data: Type.Object({
    ...AcceptedTraining,
    features: Type.Array(ColumnView, { description: 'The feature columns and their types.' }),
    label: ColumnView,
    rowCount: Type.Integer(),
    classCount: Type.Integer(),
    dropped: Type.Optional(DroppedView),
    lint: Type.Array(
      Type.Object({
        kind: Type.Enum(['SAME_INPUT', 'SIMILAR_LABELS']),
        count: Type.Integer({
          description: 'Different contents that have more than one label; groups of similar labels.'
        }),
        examples: Type.Array(
          Type.Object({
            rows: Type.Array(Type.Integer(), { description: 'The first after the header is 1.' }),
            labels: Type.Array(Type.String())
          })
        )
      }),
      {
        description:
          'Problems in the table that make answers worse: rows that are the same, under different labels, and labels that ' +
          'differ only in case, white space or the form of accents, each with its first row.'
      }
    )
  })
})
export type TrainReply = Static<typeof TrainReply>

/** Reply that tells how a training of a classifier stands. */
export const StatusReply = Type.Object({ data: Type.Object({ ...AcceptedTraining, ...TrainingStatus }) })

/** Reply with predictions, by column. */
export const PredictReply = Type.Object({
  class: Type.Array(Type.Union([Type.String(), Type.Number()])),
  probability: Type.Optional(Type.Array(Type.Number())),
  top_k: Type.Optional(
    Type.Array(
      Type.Array(Type.Object({ class: Type.Union([Type.String(), Type.Number()]), probability: Type.Number() })),
      { description: 'The likeliest classes of each row.' }
    )
  )
})
export type PredictReply = Static<typeof PredictReply>
