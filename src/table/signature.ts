/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What a feature or a label holds: `text` features are embedded, `number` features standardised. */
export type ColumnType = 'text' | 'number'

/** A named column that goes into a model, or comes out of it. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** What a model reads and what it predicts. */
export interface Signature {
  /** Texts first, numbers after them, each in the order of the table: the order of a feature vector's parts. */
  readonly features: readonly Column[]
  /** Classes are kept as texts; those of a `number` label are sent as numbers. */
  readonly label: Column
}

/** Whether texts are to be embedded for a model. */
export function hasText({ features }: Signature): boolean {
  return features.some(({ type }) => type === 'text')
}

/** A mentor's model: a question's text in, the id of an answer out. */
export const MENTOR_SIGNATURE: Signature = {
  features: [{ name: 'question', type: 'text' }],
  label: { name: 'answer', type: 'text' }
}
