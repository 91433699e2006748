/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * How far what users' questions show lies from what the training phrases foretold, over many mentors: mean of the difference, and its
 * standard deviation with the doubt that few data sets leave, in log-odds. Made by `tools/learn-topic-prior`.
 */
export const FORESIGHT_PRIOR = {
  accuracy: { shift: -0.141, deviation: 0.682 },
  refused: { shift: 0.008, deviation: 1.051 },
  offTopicRefused: { shift: 0.433, deviation: 1.023 },
  offTopicAuroc: { shift: 0.27, deviation: 0.817 },
  calibrationError: { shift: -0.333, deviation: 0.0 }
} as const

/** Confidences below which 5%, 10%, … 95% of the questions lie, mean over many mentors. Made by the same tool. */
export const CONFIDENCE_PRIOR = {
  good: [
    0.209, 0.3, 0.369, 0.437, 0.492, 0.547, 0.593, 0.64, 0.678, 0.721, 0.756, 0.794, 0.827, 0.861, 0.887, 0.916, 0.942,
    0.965, 0.98
  ],
  nonsense: [
    0.036, 0.045, 0.053, 0.063, 0.073, 0.083, 0.097, 0.115, 0.133, 0.154, 0.18, 0.214, 0.248, 0.289, 0.339, 0.407,
    0.482, 0.577, 0.713
  ]
} as const satisfies Readonly<Record<string, readonly number[]>>
