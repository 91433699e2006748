/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * What many mentors teach about questions that nothing answers. Made by `tools/learn-topic-prior`, from mentors drawn from
 * several data sets; docs/classifier.md tells which, and how good it is on a data set that it has not seen.
 */
export const TOPIC_PRIOR = {
  intercept: -1.385,
  logOddsWeight: 0.559,
  marginWeight: -0.231,
  similarityWeight: 5.133,
  gramWeight: 1.529,
  phrasesWeight: -0.642,
  classesWeight: -0.319,
  ownIntercept: 0.344,
  ownMiddleWeight: -0.668,
  samplesOfHalfShare: 20,
  shareExponent: 0.5,
  leastConfidence: 0.35
} as const
