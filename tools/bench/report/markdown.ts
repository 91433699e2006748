/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Spread } from '../measure/statistics.ts'

/** A table of Markdown; columns whose heading ends in a colon are set to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [
    row(headings.map((heading) => heading.replace(/:$/, ''))),
    row(headings.map((heading) => (heading.endsWith(':') ? '---:' : '---'))),
    ...rows.map(row)
  ].join('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** A measured number with three significant digits, all those before the point, and an integer as it is: `1,235`, `12.3`, `0.0120`, `7`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Number.isInteger(value)) return value.toLocaleString('en')
  const rounded = Number(value.toPrecision(3))
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))))
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
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
