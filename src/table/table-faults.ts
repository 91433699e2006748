/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

const MAX_FAULTS_TOLD = 20

/** What fails when a table has faults, as in "Cannot train". */
export type TableAction = 'train' | 'predict' | 'evaluate'

/** Collects the faults of a table by column; of many faults only the first are reported. */
export class TableFaults {
  readonly #ofColumn = new Map<string, string[]>()
  readonly #action: TableAction
  #count = 0
  #first = ''

  constructor(action: TableAction) {
    this.#action = action
  }

  /** @param row number of the row, counted from 1 */
  add(column: string, row: number, problem: string): void {
    this.#add(column, `row ${row}: ${problem}`)
  }

  addOfColumn(column: string, problem: string): void {
    this.#add(column, problem)
  }

  has(column: string): boolean {
    return this.#ofColumn.has(column)
  }

  /** @throws {ServiceError} INVALID_REQUEST with all that was added, if anything was */
  throwIfAny(): void {
    if (this.#count === 0) return
    const more = this.#count === 1 ? '' : ` (and ${this.#count - 1} more)`
    throw new ServiceError('INVALID_REQUEST', `Cannot ${this.#action}: ${this.#first}${more}`, {
      fields: Object.fromEntries(this.#ofColumn)
    })
  }

  #add(column: string, problem: string): void {
    this.#count += 1
    if (this.#count === 1) this.#first = `column ${column}, ${problem}`
    const known = this.#ofColumn.get(column)
    if (known === undefined) this.#ofColumn.set(column, [problem])
    else if (this.#count <= MAX_FAULTS_TOLD) known.push(problem)
  }
}
