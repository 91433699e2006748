/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * What the training phrases of many mentors foretold of the figures that users' questions then showed, in log-odds.
 * Made by `npm run --silent learn-topic-prior -- --data FOLDER --write-foresight`.
 */
export const FORESIGHT_PRIOR = {
  accuracy: { slope: 1, shift: -0.061, fewSamples: 0, deviation: 0.696 },
  refused: { slope: 1, shift: -0.045, fewSamples: 0, deviation: 1.067 },
  offTopicRefused: { slope: 1, shift: 0.458, fewSamples: 0, deviation: 0.805 },
  offTopicAuroc: { slope: 1, shift: 0.345, fewSamples: 0, deviation: 0.761 },
  calibrationError: { slope: 0, shift: -2.636, fewSamples: 3.322, deviation: 0.287 }
} as const

/** Confidences below which 5%, 10%, … 95% of the questions lie, mean over many mentors. Made by the same tool. */
export const CONFIDENCE_PRIOR = {
  good: [
    0.247, 0.349, 0.421, 0.492, 0.548, 0.601, 0.645, 0.688, 0.725, 0.761, 0.793, 0.826, 0.854, 0.884, 0.906, 0.931,
    0.952, 0.971, 0.983
  ],
  nonsense: [
    0.035, 0.044, 0.051, 0.059, 0.069, 0.078, 0.091, 0.109, 0.13, 0.153, 0.18, 0.217, 0.257, 0.305, 0.362, 0.436, 0.517,
    0.612, 0.737
  ]
} as const satisfies Readonly<Record<string, readonly number[]>>
