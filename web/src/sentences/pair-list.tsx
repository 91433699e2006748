/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'
import { nearestPairs, type ComparedSentence } from './compare-sentences.ts'

const MAX_PAIRS = 6

interface PairListProps {
  readonly sentences: readonly ComparedSentence[]
  readonly similarities: readonly (readonly number[])[]
}

/** The pairs that are most alike. */
export function PairList({ sentences, similarities }: PairListProps) {
  return (
    <ol class="pairs" aria-label={texts.sentences.pairs}>
      {nearestPairs(similarities, MAX_PAIRS).map(({ score, a, b }) => (
        <li key={`${a}-${b}`}>
          <strong class="number">{score.toFixed(2)}</strong>
          <span>
            {sentences[a]?.text}
            <br />
            {sentences[b]?.text}
          </span>
        </li>
      ))}
    </ol>
  )
}
