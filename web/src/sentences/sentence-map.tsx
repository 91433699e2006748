/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useMemo } from 'preact/hooks'
import { PointMap } from '../charts/point-map.tsx'
import { formatPercent } from '../parts/format.ts'
import { texts } from '../texts.ts'
import type { ComparedSentence } from './compare-sentences.ts'
import { principalAxes } from './principal-axes.ts'

/** The embeddings on a plane. */
export function SentenceMap({ sentences }: { readonly sentences: readonly ComparedSentence[] }) {
  const { points, explained } = useMemo(() => principalAxes(sentences.map(({ embedding }) => embedding)), [sentences])
  return (
    <>
      <PointMap caption={texts.sentences.mapCaption} labels={sentences.map(({ text }) => text)} points={points} />
      <p class="hint">{texts.sentences.explained(formatPercent(explained))}</p>
    </>
  )
}
