/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { stringify } from 'csv-stringify/sync'

/**
 * Writes a line of CSV (RFC 4180). Cells that begin or end with white space are quoted too, since some readers would
 * trim them.
 * @example csvLine(['a', 'b, c', ' d']) // 'a,"b, c"," d"\r\n'
 */
export function csvLine(cells: readonly string[]): string {
  return stringify([cells], { record_delimiter: 'windows', quoted_match: /^\s|\s$|[\r\n]/ })
}
