/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Environment } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'

/** Output stream of a {@link Terminal}: `process.stdout`, or one of a test. */
export interface TerminalStream {
  readonly isTTY?: boolean
  readonly columns?: number
  hasColors?(env?: object): boolean
  write(text: string): unknown
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const REDRAW_MS = 100
/** Moves to the start of the line and clears it. */
const CLEAR_LINE = '\r\u001B[K'

/** Writes lines to a terminal, and below them a progress line with a spinner. */
export class Terminal {
  readonly hasColors: boolean
  readonly #stream: TerminalStream
  /** Whether a line can be redrawn. */
  readonly #isRedrawn: boolean
  #progress: { readonly text: string; readonly startMs: number; readonly timer: NodeJS.Timeout } | undefined

  constructor(stream: TerminalStream, env: Environment) {
    this.#stream = stream
    this.#isRedrawn = stream.isTTY === true && env['TERM'] !== 'dumb'
    this.hasColors = stream.isTTY === true && stream.hasColors?.(env) === true
  }

  /** Width in columns; undefined when unknown. */
  get columns(): number | undefined {
    return this.#stream.columns || undefined
  }

  /** Writes text that ends with a line break. */
  readonly write = (text: string): void => {
    this.#stream.write(this.#isRedrawn && this.#progress !== undefined ? CLEAR_LINE + text + this.#drawn() : text)
  }

  /** Shows what the process waits for, and for how long so far, until {@link endProgress}. */
  startProgress(text: string): void {
    this.endProgress()
    if (!this.#isRedrawn) return this.write(`${text} …\n`)
    const timer = setInterval(() => this.#stream.write(CLEAR_LINE + this.#drawn()), REDRAW_MS)
    timer.unref()
    this.#progress = { text, startMs: performance.now(), timer }
    this.#stream.write(this.#drawn())
  }

  /** Removes the progress line. */
  endProgress(): void {
    if (this.#progress === undefined) return
    clearInterval(this.#progress.timer)
    this.#progress = undefined
    this.#stream.write(CLEAR_LINE)
  }

  #drawn(): string {
    if (this.#progress === undefined) return ''
    const { text, startMs } = this.#progress
    const elapsedMs = performance.now() - startMs
    const frame = FRAMES[Math.floor(elapsedMs / REDRAW_MS) % FRAMES.length] ?? ''
    return `${frame} ${text} … ${(elapsedMs / 1000).toFixed(1)} s`.slice(0, (this.columns ?? 80) - 1)
  }
}

/** Opens the log's terminal; undefined when `LOG_FORMAT` asks for JSON. */
export function openTerminal(
  format: Config['logFormat'],
  stream: TerminalStream,
  env: Environment
): Terminal | undefined {
  if (format === 'json' || (format === 'auto' && stream.isTTY !== true)) return undefined
  return new Terminal(stream, env)
}
