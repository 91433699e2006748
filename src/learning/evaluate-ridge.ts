/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JudgedQuestion } from './evaluation.ts'
import { splitByFold, stratifiedFolds } from './folds.ts'
import { greatest } from './candidates.ts'
import { matrixRow, takeRows } from './matrix.ts'
import { fitRidge, ridgeClass, ridgeDecisionValues } from './ridge.ts'
import type { TrainingSet } from './training-set.ts'

/** Number of ranked classes in an out-of-fold judgement. */
const RANKED_CLASSES = 5

/**
 * Judges each sample that can be held out by a ridge model fitted to the other folds. A class whose samples are all
 * held out by a fold cannot be predicted there: its samples are judged among the other classes.
 * @param offTopicThreshold decision score below which a question is off topic
 */
export function judgeRidgeOutOfFold(
  { features, labels, classCount, groups }: TrainingSet,
  foldCount: number,
  offTopicThreshold: number
): JudgedQuestion[] {
  const folds = stratifiedFolds(labels, foldCount, groups)
  const usable = Array.from({ length: foldCount }, (_, fold) => fold).filter((fold) => folds.includes(fold))
  return usable.flatMap((fold) => {
    const { heldOut, trained } = splitByFold(folds, fold)
    const present = [...new Set(Array.from(trained, (sample) => labels[sample]!))].toSorted((a, b) => a - b)
    const position = new Int32Array(classCount).fill(-1)
    for (const [k, label] of present.entries()) position[label] = k
    const model = fitRidge(
      takeRows(features, trained),
      Int32Array.from(trained, (sample) => position[labels[sample]!]!),
      present.length
    )
    return Array.from(heldOut, (sample): JudgedQuestion => {
      const values = ridgeDecisionValues(model, matrixRow(features, sample))
      const predicted = ridgeClass(values, present.length)
      const confidence = values[present.length > 2 ? predicted : 0]!
      const byClass = present.length === 2 ? Float64Array.of(-confidence, confidence) : values
      const ranked = greatest(byClass, RANKED_CLASSES).map((k) => ({ class: present[k]!, confidence: byClass[k]! }))
      const isOffTopic = confidence < offTopicThreshold
      return { question: sample, label: labels[sample]!, ranked, topicScore: confidence, isOffTopic }
    })
  })
}
