/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { classifierTexts } from './texts/classifiers.ts'
import { mentorTexts } from './texts/mentors.ts'
import { modelTexts } from './texts/models.ts'
import { operationTexts } from './texts/operations.ts'
import { sentenceTexts } from './texts/sentences.ts'
import { shellTexts } from './texts/shell.ts'

/** Every text of the playground in English, a file for each part of it. Another language is other files of this shape. */
export const texts = {
  ...shellTexts,
  ...sentenceTexts,
  ...mentorTexts,
  ...modelTexts,
  ...classifierTexts,
  ...operationTexts
} as const
