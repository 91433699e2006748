/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { bareName } from './templates.ts'

/** Well-known names: questions about them seldom lead to the mentor. */
export class PopCulture {
  readonly #names: ReadonlySet<string>

  /** @param list one name a line; empty lines and those that begin with `#` are left out */
  constructor(list = '') {
    const lines = list.split(/\r?\n/).map((line) => line.trim())
    this.#names = new Set(lines.filter((line) => line !== '' && !line.startsWith('#')).map(bareName))
  }

  /** Whether a name is on the list, regardless of case. */
  has(name: string): boolean {
    return this.#names.has(bareName(name))
  }
}
