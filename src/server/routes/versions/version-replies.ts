/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { CHANGE_KINDS } from '../../../versions/version-change.ts'
import { ModelFigures } from '../../../learning/model-figures.ts'

const Column = Type.Object({ name: Type.String(), type: Type.Enum(['text', 'number']) })
const VersionView = Type.Object({
  version: Type.Integer(),
  isLive: Type.Boolean({ description: 'Whether it is the live version.' }),
  architecture: Type.String(),
  signature: Type.Object({ features: Type.Array(Column), label: Column }),
  modelHash: Type.String({ description: 'SHA-256 of the model: equal for equal models.' }),
  dataHash: Type.String({ description: 'Hash of the training data: equal for equal data.' }),
  encoderRevision: Type.Union([Type.String(), Type.Null()]),
  answerCount: Type.Optional(Type.Integer({ description: 'For a mentor: the same as `classCount`.' })),
  classCount: Type.Integer(),
  sampleCount: Type.Integer(),
  figures: ModelFigures,
  notMeasured: Type.Array(Type.String()),
  durationMs: Type.Integer(),
  trainedBy: Type.String({ description: 'Who asked for it: the start of the key’s hash, or the user.' }),
  created: Type.String({ format: 'date-time' })
})

/** Reply that lists the versions of a model. */
export const VersionList = Type.Object({
  data: Type.Object({
    live: Type.Union([Type.Integer(), Type.Null()]),
    versions: Type.Array(VersionView, { description: 'Newest first.' }),
    history: Type.Array(
      Type.Object({
        version: Type.Integer(),
        kind: Type.Enum([...CHANGE_KINDS]),
        at: Type.String({ format: 'date-time' }),
        by: Type.String()
      }),
      { description: 'Changes of the live version, newest first.' }
    )
  })
})
export type VersionList = Static<typeof VersionList>
