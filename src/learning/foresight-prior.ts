/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * What the training phrases of many mentors foretold of the figures that users' questions then showed, in log-odds.
 * Made by `npm run --silent learn-topic-prior -- --data FOLDER --write-foresight`.
 */
export const FORESIGHT_PRIOR = {
  accuracy: { slope: 1, shift: -0.043, fewSamples: 0, deviation: 0.7 },
  refused: { slope: 1, shift: -0.067, fewSamples: 0, deviation: 1.127 },
  offTopicRefused: { slope: 1, shift: 0.379, fewSamples: 0, deviation: 0.83 },
  offTopicAuroc: { slope: 1, shift: 0.344, fewSamples: 0, deviation: 0.758 },
  calibrationError: { slope: 0, shift: -2.657, fewSamples: 3.43, deviation: 0.31 }
} as const

/** Confidences below which 5%, 10%, … 95% of the questions lie, mean over many mentors. Made by the same tool. */
export const CONFIDENCE_PRIOR = {
  good: [
    0.248, 0.349, 0.422, 0.493, 0.547, 0.6, 0.645, 0.688, 0.724, 0.761, 0.792, 0.826, 0.853, 0.883, 0.906, 0.93, 0.952,
    0.971, 0.983
  ],
  nonsense: [
    0.035, 0.044, 0.051, 0.059, 0.068, 0.078, 0.09, 0.109, 0.129, 0.153, 0.18, 0.217, 0.257, 0.305, 0.362, 0.436, 0.519,
    0.613, 0.738
  ]
} as const satisfies Readonly<Record<string, readonly number[]>>
