/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { figure, table } from './markdown.ts'

/**
 * Shows any JSON value as a list of its figures: `{enqueue: {perSecond: 5}}` gives a row `enqueue · per second | 5`.
 * A row is named by the keys that lead to it.
 */
export function renderFigures(result: unknown): string {
  return table(['figure', ':'], rowsOf(result, []))
}

function rowsOf(value: unknown, path: readonly string[]): string[][] {
  if (typeof value !== 'object' || value === null) {
    return [[path.join(' · '), typeof value === 'number' ? figure(value) : String(value)]]
  }
  return Object.entries(value).flatMap(([key, inner]) => rowsOf(inner, [...path, wordsOf(key)]))
}

/** `idleLatencyMs` gives `idle latency ms`. */
function wordsOf(key: string): string {
  return key.replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
