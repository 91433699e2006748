/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { FigureRow } from '../parts/figure-row.tsx'
import { formatChange, formatPercent } from '../parts/format.ts'
import { texts } from '../texts.ts'
import { ErrorTable } from './error-table.tsx'
import type { VersionDiff } from './version-calls.ts'

const COMPARED = ['accuracy', 'macroF1', 'refused', 'offTopicRefused'] as const

interface DiffViewProps {
  readonly diff: VersionDiff
  readonly nameOf: (classId: string) => string
}

/** What is better and worse in a version than in the live one. */
export function DiffView({ diff: { from, to, figures, samples, errors }, nameOf }: DiffViewProps) {
  return (
    <section class="card" aria-label={texts.versions.diffTitle(to, from)}>
      <h2>{texts.versions.diffTitle(to, from)}</h2>
      <FigureRow
        figures={[
          ...COMPARED.map((name) => ({
            name: texts.versions.figures[name],
            value: formatPercent(figures[name].to),
            note: texts.versions.besideLive(formatPercent(figures[name].from), formatChange(figures[name].change))
          })),
          { name: texts.versions.fixed, value: samples.fixed, note: texts.versions.ofCommon(samples.common) },
          { name: texts.versions.broken, value: samples.broken, note: texts.versions.ofCommon(samples.common) }
        ]}
      />
      <div class="columns">
        <div class="stack">
          <h3>{texts.versions.gone(errors.gone.length)}</h3>
          <ErrorTable errors={errors.gone} nameOf={nameOf} />
        </div>
        <div class="stack">
          <h3>{texts.versions.added(errors.added.length)}</h3>
          <ErrorTable errors={errors.added} nameOf={nameOf} />
        </div>
      </div>
    </section>
  )
}
