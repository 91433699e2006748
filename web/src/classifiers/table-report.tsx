/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'
import type { AcceptedTraining } from '../versions/training.ts'

/** How a table was understood. */
export function TableReport({ accepted }: { readonly accepted: AcceptedTraining }) {
  const { features = [], label, rowCount, classCount, dropped, lint = [] } = accepted
  return (
    <section class="card">
      <h2>{texts.classifiers.understood}</h2>
      {label !== undefined && <p>{texts.classifiers.read(rowCount ?? 0, classCount ?? 0, label.name)}</p>}
      <ul class="row plain-row" aria-label={texts.classifiers.featureColumns}>
        {features.map(({ name, type }) => (
          <li key={name}>
            <strong>{name}</strong> <span class="tag">{texts.classifiers.types[type]}</span>
          </li>
        ))}
      </ul>
      {dropped !== undefined && <p class="hint">{texts.upload.dropped(dropped.rows, dropped.columns)}</p>}
      {lint.map(({ kind, count, examples }, index) => (
        <p key={index} class="notice notice-warn">
          {(kind === 'SIMILAR_LABELS' ? texts.classifiers.similarLabels : texts.classifiers.sameInput)(
            count,
            examples[0]?.rows ?? [],
            examples[0]?.labels ?? []
          )}
        </p>
      ))}
    </section>
  )
}
