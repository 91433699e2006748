/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { stripVTControlCharacters } from 'node:util'
import type { ModelFile } from './manifest.ts'
import type { DownloadProgress } from './model-source.ts'

/** Where a report is written: `process.stderr`, or a test's. */
export interface ReportStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** A terminal's bar is redrawn no more often. */
const REDRAW_MS = 100
/** A log gets one line for each such part of a file, … */
const LOG_STEP_PERCENT = 25
/** … and none for a file that comes at once. */
const LOG_FROM_BYTES = 5_000_000

/** So that a line with the longest name has room in 80 columns. */
const BAR_CELLS = 12

/** Shows a download: one line that is redrawn on a terminal, sparse lines elsewhere. */
export class ProgressReport implements DownloadProgress {
  readonly #stream: ReportStream
  readonly #nowMs: () => number
  #shown: ModelFile | undefined
  #startMs = 0
  #startBytes = 0
  #drawnMs = 0
  #loggedPercent = 0
  #isLineOpen = false

  /** @param nowMs a clock that only goes forward */
  constructor(stream: ReportStream, nowMs: () => number = () => performance.now()) {
    this.#stream = stream
    this.#nowMs = nowMs
  }

  advance(file: ModelFile, doneBytes: number): void {
    const nowMs = this.#nowMs()
    if (this.#shown !== file) {
      this.#shown = file
      this.#startMs = nowMs
      this.#startBytes = doneBytes
      this.#drawnMs = -Infinity
      this.#loggedPercent = 0
    }
    if (this.#stream.isTTY === true) this.#draw(file, doneBytes, nowMs)
    else this.#log(file, doneBytes)
  }

  note(message: string): void {
    this.end()
    // What a server or pip says may hold control characters, and a terminal would obey them.
    this.#stream.write(`  ${stripVTControlCharacters(message)}\n`)
  }

  /** Leaves the bar's line; to be called before something else is written. */
  end(): void {
    if (this.#isLineOpen) this.#stream.write('\n')
    this.#isLineOpen = false
  }

  #draw(file: ModelFile, doneBytes: number, nowMs: number): void {
    const isDone = doneBytes >= file.bytes
    if (!isDone && nowMs - this.#drawnMs < REDRAW_MS) return
    this.#drawnMs = nowMs
    const fullCells = Math.floor((BAR_CELLS * doneBytes) / file.bytes)
    const bar = '█'.repeat(fullCells) + '░'.repeat(BAR_CELLS - fullCells)
    const line = `  ${bar} ${percentOf(file, doneBytes)}%  ${file.path}  ${this.#paceOf(file, doneBytes, nowMs)}`
    // A terminal that does not know its width says 0.
    this.#stream.write(`\r${line.slice(0, (this.#stream.columns || 80) - 1)}\u001B[K`)
    this.#isLineOpen = true
    if (isDone) this.end()
  }

  #log(file: ModelFile, doneBytes: number): void {
    const percent = percentOf(file, doneBytes)
    if (file.bytes < LOG_FROM_BYTES || percent < this.#loggedPercent + LOG_STEP_PERCENT) return
    this.#loggedPercent = percent - (percent % LOG_STEP_PERCENT)
    this.#stream.write(`  ${file.path}: ${this.#loggedPercent}% of ${sizeOf(file.bytes)}\n`)
  }

  /** Such as `12.3 MB/90.9 MB  4.1 MB/s  19 s left`. */
  #paceOf(file: ModelFile, doneBytes: number, nowMs: number): string {
    const size = `${sizeOf(doneBytes)}/${sizeOf(file.bytes)}`
    const seconds = (nowMs - this.#startMs) / 1000
    const freshBytes = doneBytes - this.#startBytes
    if (seconds <= 0 || freshBytes <= 0) return size
    const bytesPerSecond = freshBytes / seconds
    const leftSeconds = Math.ceil((file.bytes - doneBytes) / bytesPerSecond)
    return `${size}  ${sizeOf(bytesPerSecond)}/s${leftSeconds > 0 ? `  ${leftSeconds} s left` : ''}`
  }
}

function percentOf(file: ModelFile, doneBytes: number): number {
  return Math.floor((100 * doneBytes) / file.bytes)
}

/** Such as `90.9 MB` or `1 kB`. */
function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
