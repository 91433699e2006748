/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { MentorAnswer } from '../mentor/mentor.ts'
import { sanitize, sanitizeKeepingAccents } from '../mentor/sanitize.ts'
import type { Architecture } from '../learning/classifier-model.ts'
import type { TrainingSamples } from '../learning/training-samples.ts'

/**
 * Makes the samples of a mentor: each answer's sanitized question and paraphrases. Accents stay, except for `ridge`, which
 * is to give the numbers of the service that this one replaces. A text that is empty when sanitized
 * gives no sample, and an answer without samples cannot be predicted.
 * @param offTopic questions that none of the answers fits; those that are also phrases of an answer are ignored
 */
export function trainingSamples(
  answers: readonly MentorAnswer[],
  offTopic: readonly string[] = [],
  architecture: Architecture = 'softmax'
): TrainingSamples {
  const toSample = architecture === 'ridge' ? sanitize : sanitizeKeepingAccents
  const texts: string[] = []
  const labels: number[] = []
  const answerIds: string[] = []
  for (const answer of answers) {
    const phrases = [answer.question.question, ...(answer.question.paraphrases ?? [])]
    const samples = phrases.map(toSample).filter((text) => text.trim() !== '')
    if (samples.length === 0) continue
    for (const text of samples) {
      texts.push(text)
      labels.push(answerIds.length)
    }
    answerIds.push(answer._id)
  }
  const groupOf = new Map<string, number>()
  const groups = texts.map((text) => {
    const group = groupOf.get(text) ?? groupOf.size
    groupOf.set(text, group)
    return group
  })
  const offTopicTexts = [...new Set(offTopic.map(toSample))].filter((text) => text.trim() !== '' && !groupOf.has(text))
  return { texts, labels: Int32Array.from(labels), answerIds, groups: Int32Array.from(groups), offTopicTexts }
}
