/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'

const Mean = Type.Union([Type.Number(), Type.Null()])
/** A sample of the service’s metrics. */
export const Sample = Type.Object({
  atMs: Type.Integer({ description: 'Milliseconds since 1970.' }),
  requestsPerSecond: Type.Number(),
  sentencesPerSecond: Type.Number(),
  batchesPerSecond: Type.Number(),
  meanMs: Type.Object(
    { request: Mean, tokenize: Mean, queue: Mean, inference: Mean },
    { description: 'Means of the second; null when there was nothing to measure.' }
  ),
  sentencesPerBatch: Mean,
  cacheHitShare: Type.Union([Type.Number(), Type.Null()], {
    description: 'Share of cache hits among encodings of one text; null without any.'
  }),
  waitingSentences: Type.Integer(),
  residentBytes: Type.Integer(),
  memoryLimitBytes: Type.Integer(),
  jobs: Type.Union([
    Type.Object({ queued: Type.Integer(), running: Type.Integer(), dead: Type.Integer() }),
    Type.Null()
  ])
})
export type Sample = Static<typeof Sample>
