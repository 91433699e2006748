/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Spread } from '../measure/statistics.ts'

/** A table of Markdown; columns whose heading ends in a colon are set to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    line(headings.map((heading) => heading.replace(/:$/, ''))),
    line(headings.map((heading) => (heading.endsWith(':') ? '---:' : '---'))),
    ...rows.map(line)
  ].join('\n')
}

/** A number with three significant digits, or all before the point: `1,234`, `12.3`, `0.00123`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const magnitude = Math.floor(Math.log10(Math.abs(value) || 1))
  return value.toLocaleString('en', {
    maximumFractionDigits: Math.max(0, 2 - magnitude),
    minimumFractionDigits: magnitude >= 0 && magnitude < 2 ? 2 - magnitude : 0
  })
}

/** The median, and how far the rounds spread: `1,234 (1,200–1,260)`. */
export function spread({ median, min, max }: Spread): string {
  return `${figure(median)} (${figure(min)}–${figure(max)})`
}

/** A share in whole percent. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** Bytes in MB, of a million each. */
export function megabytes(bytes: number): string {
  return `${figure(bytes / 1e6)} MB`
}
