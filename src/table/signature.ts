/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Type of a feature or label: `text` features are embedded, `number` features are standardized. */
export type ColumnType = 'text' | 'number'

/** A named input column or the output of a model. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** The features that a model reads and the label that it predicts. */
export interface Signature {
  /** Texts, then numbers, each in the order of the table. Feature vectors have the same order. */
  readonly features: readonly Column[]
  /** Classes are stored as texts; replies have those of a `number` label as numbers. */
  readonly label: Column
}

/** Whether a model has text features. */
export function hasText({ features }: Signature): boolean {
  return features.some(({ type }) => type === 'text')
}

/** Signature of a mentor's model: from a question's text to the id of an answer. */
export const MENTOR_SIGNATURE: Signature = {
  features: [{ name: 'question', type: 'text' }],
  label: { name: 'answer', type: 'text' }
}
