/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { styleText } from 'node:util'
import { createLogger, type ServiceLog } from './request-log.ts'

type Style = Parameters<typeof styleText>[0]

/** Output of a log for people. */
export interface LogScreen {
  readonly hasColors: boolean
  /** Writes text that ends with a line break. */
  readonly write: (text: string) => void
}

/** A log entry, as pino writes it. */
interface LogEntry {
  readonly level: number
  readonly time: number
  readonly msg?: string
  readonly err?: { readonly message?: string; readonly stack?: string }
  readonly [field: string]: unknown
}

/** Names and styles of pino's levels. */
const LEVELS: Readonly<Record<number, readonly [name: string, style: Style]>> = {
  10: ['TRACE', 'gray'],
  20: ['DEBUG', 'gray'],
  30: ['INFO', 'green'],
  40: ['WARN', 'yellow'],
  50: ['ERROR', 'red'],
  60: ['FATAL', 'redBright']
}

/** Fields that are not listed at a line's end: those shown elsewhere in it, request ids, and the settings. */
const LEFT_OUT = new Set(['level', 'time', 'msg', 'err', 'reqId', 'config'])
/** Fields of a request's line, which have their own format. */
const REQUEST_FIELDS = new Set(['method', 'route', 'statusCode', 'durationMs'])

/** Creates a log for people, without a write buffer. */
export function createTerminalLog(level: string, screen: LogScreen): ServiceLog {
  return {
    logger: createLogger(level, { write: (json) => screen.write(terminalLine(json, screen.hasColors)) }),
    writeLine: (line) => screen.write(`${line}\n`),
    flush: () => undefined
  }
}

/**
 * Formats a JSON log line for people, with a line for each frame of an error's stack:
 * `{"level":30,"time":…,"address":"http://127.0.0.1:8080","msg":"listening"}` gives
 * `12:03:04 INFO  listening  address=http://127.0.0.1:8080`. A line that is not a log entry is unchanged.
 */
export function terminalLine(json: string, hasColors: boolean): string {
  const entry = entryOf(json)
  if (entry === undefined) return json
  const paint = (style: Style, text: string): string =>
    hasColors && text !== '' ? styleText(style, text, { validateStream: false }) : text
  const [name, levelStyle] = LEVELS[entry.level] ?? [String(entry.level), 'gray']
  const isRequest = entry.msg === 'request'
  const fields = Object.entries(entry)
    .filter(([field]) => !LEFT_OUT.has(field) && !(isRequest && REQUEST_FIELDS.has(field)))
    .map(([field, value]) => `${printable(field)}=${valueText(value)}`)
  const said = isRequest ? requestText(entry, paint) : printable(entry.msg ?? '')
  const head = `${paint('gray', clockOf(entry.time))} ${paint(levelStyle, name.padEnd(5))} ${said}`
  const line = fields.length === 0 ? head : `${head}  ${paint('gray', fields.join(' '))}`
  return `${line}\n${paint('gray', errorText(entry.err))}`
}

function entryOf(json: string): LogEntry | undefined {
  try {
    const entry: unknown = JSON.parse(json)
    return isEntry(entry) ? entry : undefined
  } catch {
    return undefined
  }
}

function isEntry(value: unknown): value is LogEntry {
  return typeof value === 'object' && value !== null && 'level' in value && typeof value.level === 'number'
}

/** Formats a request: `GET /v1/encode 200 1.2 ms`. */
function requestText(entry: LogEntry, paint: (style: Style, text: string) => string): string {
  const { method, route = 'an unknown address', statusCode, durationMs } = entry
  const status = Number(statusCode)
  const style = status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green'
  const told = `${printable(String(method))} ${printable(String(route))}`
  return `${told} ${paint(style, String(status))} ${paint('gray', `${Number(durationMs).toFixed(1)} ms`)}`
}

/** The local time of day. */
function clockOf(timeMs: number): string {
  return new Date(timeMs).toTimeString().slice(0, 8)
}

function valueText(value: unknown): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value) ?? '')
  return /^[^\s"=]+$/.test(value) ? printable(value) : printable(JSON.stringify(value))
}

function errorText(error: LogEntry['err']): string {
  const text = error?.stack ?? error?.message
  if (text === undefined) return ''
  return text
    .split('\n')
    .map((line) => `         ${printable(line.trim())}\n`)
    .join('')
}

/** Escapes control characters, so that a caller's text cannot control the terminal. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- it is what is looked for
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\x${code.toString(16).padStart(2, '0')}`
  })
}
