/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Throughput of one instance with a number of clients in a closed loop. */
export interface CurvePoint {
  readonly clientCount: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** Maximum throughput of one instance, in requests a second. @throws {RangeError} without a point */
export function capacityOf(curve: readonly CurvePoint[]): number {
  if (curve.length === 0) throw new RangeError('Cannot tell the capacity: the curve has no point')
  return Math.max(...curve.map(({ requestsPerSecond }) => requestsPerSecond))
}

/**
 * Throughput of an instance with a number of clients: interpolated linearly between the measured points, constant
 * beyond the last. Less than one client is a client that pauses.
 */
export function requestsPerSecondAt(curve: readonly CurvePoint[], clientCount: number): number {
  const points = [{ clientCount: 0, requestsPerSecond: 0 }, ...curve.toSorted((a, b) => a.clientCount - b.clientCount)]
  const next = points.findIndex((point) => point.clientCount >= clientCount)
  if (next === -1) return points.at(-1)?.requestsPerSecond ?? 0
  const [from, to] = [points[next - 1], points[next]]
  if (to === undefined || from === undefined) return 0
  const share = (clientCount - from.clientCount) / (to.clientCount - from.clientCount)
  return from.requestsPerSecond + share * (to.requestsPerSecond - from.requestsPerSecond)
}

/** The target for `web_scaling.requests_per_target_per_minute` at which an instance is as busy as wanted, in whole hundreds. */
export function requestTargetOf(curve: readonly CurvePoint[], utilisation: number): number {
  return Math.round((capacityOf(curve) * 60 * utilisation) / 100) * 100
}
