/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { readFile, writeFile } from 'node:fs/promises'
import type { Setting } from '../src/config/setting.ts'
import { SETTINGS } from '../src/config/settings.ts'

/** The page that shows the settings. */
export const CONFIGURATION_PAGE = new URL('../docs/configuration.md', import.meta.url)

const START = '<!-- settings -->'
const END = '<!-- /settings -->'

/** The page with its table as the code has it. */
export function withSettingsTable(page: string): string {
  const start = page.indexOf(START)
  const end = page.indexOf(END)
  if (start < 0 || end < start) throw new Error(`Cannot find ${START} and ${END} in docs/configuration.md`)
  return `${page.slice(0, start + START.length)}\n\n${settingsTable()}\n${page.slice(end)}`
}

function settingsTable(): string {
  const rows = Object.entries<Setting<string | number | boolean | readonly string[] | undefined>>(SETTINGS).map(
    ([name, setting]) => [
      `\`${name}\``,
      setting.unit ?? setting.type,
      defaultText(setting.default),
      setting.bounds,
      `${setting.doc}${setting.isSecret ? ' Secret: never logged.' : ''}`
    ]
  )
  const head = ['name', 'type or unit', 'default', 'accepted', 'meaning']
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((cells) => (cells[column] ?? title).length))
  )
  const rule = widths.map((width) => '-'.repeat(width))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`
  return [head, rule, ...rows].map(line).join('')
}

function defaultText(value: string | number | boolean | readonly string[] | undefined): string {
  return value === undefined || (typeof value === 'object' && value.length === 0) ? 'none' : `\`${value.toString()}\``
}

if (import.meta.main) await writeFile(CONFIGURATION_PAGE, withSettingsTable(await readFile(CONFIGURATION_PAGE, 'utf8')))
