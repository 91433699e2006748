/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Milliseconds as people read them. */
export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(1)} ms`
}

/** A share of 1 as a percentage; a dash for what was not measured. */
export function formatPercent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${(share * 100).toFixed(0)}%`
}

/** A change of a share in percentage points, with its sign. */
export function formatChange(change: number | null): string {
  if (change === null) return '–'
  const points = Math.round(change * 1000) / 10
  if (points === 0) return '±0'
  return `${points > 0 ? '+' : '−'}${Math.abs(points)}`
}

/** A number of things as people read it. */
export function formatNumber(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 10) / 10)
}

/** Bytes in the largest unit of which there is one. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1024 ** 3) return `${(bytes / 1024 ** 3).toFixed(1)} GB`
  return `${Math.round(bytes / 1024 ** 2)} MB`
}
