/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'

const Figure = Type.Union([Type.Number(), Type.Null()])

/** Metrics of a version for lists; null where they could not be measured. */
export const ModelFigures = Type.Object(
  {
    questionCount: Type.Integer(),
    accuracy: Figure,
    macroF1: Figure,
    calibrationError: Figure,
    offTopicAuroc: Figure,
    offTopicRefused: Figure,
    refused: Figure
  },
  { description: 'Measured out of fold; null where it could not be measured.' }
)
export type ModelFigures = Readonly<Static<typeof ModelFigures>>
