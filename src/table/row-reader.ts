/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

const UNSEEN = /[\s\p{Cf}]/u

/** A row after the header. */
export interface CsvRow {
  /**
   * As many cells as names; more when the row is faulty. Cells that a shorter row lacks at its end are empty:
   * spreadsheets leave out the separators of trailing empty cells.
   */
  readonly cells: readonly string[]
  /** Number of the row, counted from 1 after the header. Empty rows count; blank lines do not. */
  readonly number: number
  /** The line on which it begins, counted from 1. */
  readonly line: number
  /** Whether all its cells are empty. */
  readonly isEmpty: boolean
  /** Whether it is the header again, as in files that were joined. */
  readonly isHeader: boolean
}

/** Separates the header from the rows. */
export class RowReader {
  names: readonly string[] = []
  width = 0
  readonly #skippedLines: number
  #hasHeader = false
  #count = 0

  constructor(skippedLines: number) {
    this.#skippedLines = skippedLines
  }

  /** @returns undefined for the header, 'none' for an empty row before it */
  read(record: readonly string[], lines: number): CsvRow | undefined | 'none' {
    const filledCount = record.findLastIndex((cell) => cell.trim() !== '') + 1
    if (!this.#hasHeader) {
      if (filledCount === 0) return 'none'
      this.#hasHeader = true
      this.width = record.length
      this.names = record.slice(0, filledCount).map(nameOf)
      return undefined
    }
    this.#count += 1
    // `lines` counts up to the record's end; its cells may hold line breaks.
    const breaks = record.reduce((sum, text) => sum + (text.match(/\r\n|\n|\r/g)?.length ?? 0), 0)
    return {
      cells: this.#fit(record, filledCount),
      number: this.#count,
      line: lines + this.#skippedLines - breaks,
      isEmpty: filledCount === 0,
      isHeader: this.#isHeader(record, filledCount)
    }
  }

  /** Empty cells beyond the names are left by spreadsheets whose columns were once edited: they are cut off. */
  #fit(record: readonly string[], filledCount: number): readonly string[] {
    const nameCount = this.names.length
    if (record.length < nameCount) return [...record, ...Array.from({ length: nameCount - record.length }, () => '')]
    return record.length > nameCount ? record.slice(0, Math.max(nameCount, filledCount)) : record
  }

  /** A single name may be a value too. */
  #isHeader(record: readonly string[], filledCount: number): boolean {
    const { names } = this
    return (
      names.length > 1 &&
      filledCount === names.length &&
      names.every((name, index) => nameOf(record[index] ?? '') === name)
    )
  }
}

/** A column's name as it is written, without characters at its ends that nobody sees: text copied from a page has them. */
function nameOf(cell: string): string {
  let from = 0
  let end = cell.length
  // Not by one expression: from each blank of a long cell it would look for the end.
  while (from < end && UNSEEN.test(cell[from]!)) from += 1
  while (end > from && UNSEEN.test(cell[end - 1]!)) end -= 1
  return cell.slice(from, end)
}
