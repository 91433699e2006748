/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Prior for questions that nothing answers, learned from many mentors. Made by `tools/learn-topic-prior`, from mentors drawn
 * from several data sets; docs/classifier.md tells which, and how good it is on a data set that it has not seen.
 */
export const TOPIC_PRIOR = {
  intercept: -1.372,
  logOddsWeight: 0.491,
  marginWeight: -0.259,
  similarityWeight: 5.867,
  gramWeight: 1.319,
  phrasesWeight: -0.715,
  classesWeight: -0.343,
  ownIntercept: 0.789,
  ownMiddleWeight: -0.872,
  phrasesSlope: 0.15,
  samplesOfHalfShare: 20,
  shareExponent: 0.5,
  leastConfidence: 0.35
} as const
