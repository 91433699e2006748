/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'

/** A load measurement as results keep it; see `LoadMeasurement`. */
export const LoadMeasurementSchema = Type.Object({
  requestCount: Type.Integer(),
  seconds: Type.Number(),
  failureCount: Type.Integer(),
  latencyMs: Type.Object({ p50: Type.Number(), p95: Type.Number(), p99: Type.Number(), max: Type.Number() }),
  requestsPerSecond: Type.Number(),
  serverCpuShare: Type.Number(),
  clientCpuShare: Type.Number(),
  otherCpuShare: Type.Number(),
  serverRssBytes: Type.Number()
})

/** See {@link LoadMeasurementSchema}. */
export type KeptLoadMeasurement = Static<typeof LoadMeasurementSchema>
