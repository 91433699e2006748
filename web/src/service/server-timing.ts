/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Milliseconds of the steps of a call, and whether a kept reply answered it. */
export interface ServerTiming {
  readonly isCached: boolean
  readonly tokenizeMs: number
  readonly queueMs: number
  readonly inferenceMs: number
}

/**
 * Reads `Server-Timing`.
 * @example serverTimingOf('tokenize;dur=0.02, queue;dur=4.6, inference;dur=0.6').queueMs // 4.6
 */
export function serverTimingOf(header: string | null): ServerTiming | undefined {
  if (header === null) return undefined
  const durationOf = (name: string): number => Number(new RegExp(`${name};dur=([\\d.]+)`).exec(header)?.[1] ?? 0)
  return {
    isCached: header.includes('cache;desc="hit"'),
    tokenizeMs: durationOf('tokenize'),
    queueMs: durationOf('queue'),
    inferenceMs: durationOf('inference')
  }
}
