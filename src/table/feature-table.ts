/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import type { Signature } from './signature.ts'

/** Columns of a table by name, all of equal length: texts for a `text` column, finite numbers for a `number` column. */
export interface FeatureTable {
  readonly rowCount: number
  readonly columns: ReadonlyMap<string, readonly string[] | Float64Array>
}

/** A column of a signature, with its values. */
export interface ValuedColumn {
  readonly name: string
  readonly values: readonly string[] | Float64Array
}

/**
 * Selects the columns that a signature names, in its order.
 * @throws {ServiceError} INVALID_REQUEST when one is missing or has another type
 */
export function columnsOf(table: FeatureTable, signature: Signature): ValuedColumn[] {
  return signature.features.map(({ name, type }) => {
    const values = table.columns.get(name)
    const found = values instanceof Float64Array ? 'number' : 'text'
    if (values === undefined || found !== type) {
      throw new ServiceError('INVALID_REQUEST', 'Cannot predict: a column is missing, or of another type', {
        fields: { [name]: [values === undefined ? 'required field' : `a column of type ${type} wanted`] }
      })
    }
    return { name, values }
  })
}
