/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TerminalStream } from '../app/terminal.ts'

/** Stream that shows progress: `process.stderr`, or a test's. */
export type ProgressStream = TerminalStream

/** Moves to the line's start and clears the line. */
export const CLEAR_LINE = '\r\x1b[K'

/** Share of the work between two lines of a log. */
const LOG_STEP = 0.25

/** Shows progress: one line that is redrawn on a terminal, sparse lines elsewhere. */
export class Progress {
  readonly #stream: ProgressStream
  #shown = ''

  constructor(stream: ProgressStream) {
    this.#stream = stream
  }

  /** @param share 0 to 1 */
  tell(what: string, share: number): void {
    const step = this.#stream.isTTY === true ? 0.01 : LOG_STEP
    const line = `${what} ${Math.round(Math.floor(share / step) * step * 100)}%`
    if (line === this.#shown) return
    this.#stream.write(this.#stream.isTTY === true ? CLEAR_LINE + line : `${line}\n`)
    this.#shown = line
  }

  /** Ends the progress, so that other output can follow. */
  end(): void {
    if (this.#shown !== '' && this.#stream.isTTY === true) this.#stream.write(CLEAR_LINE)
    this.#shown = ''
  }
}
