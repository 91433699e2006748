/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Prior for questions that nothing answers, learned from many mentors. Made by `tools/learn-topic-prior`, from mentors drawn
 * from several data sets; docs/classifier.md tells which, and how good it is on a data set that it has not seen.
 */
export const TOPIC_PRIOR = {
  intercept: -1.453,
  logOddsWeight: 0.525,
  marginWeight: -0.283,
  similarityWeight: 5.526,
  gramWeight: 1.603,
  phrasesWeight: -0.712,
  classesWeight: -0.254,
  ownIntercept: 0.622,
  ownMiddleWeight: -0.864,
  phrasesSlope: 0.15,
  samplesOfHalfShare: 20,
  shareExponent: 0.35,
  rightShareWeight: 6,
  thresholds: [
    { phrases: 1, leastConfidence: 0.4 },
    { phrases: 2, leastConfidence: 0.67 },
    { phrases: 3, leastConfidence: 0.55 },
    { phrases: 6, leastConfidence: 0.62 },
    { phrases: 10, leastConfidence: 0.37 }
  ]
} as const
