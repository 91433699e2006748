/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { formatMs, formatPercent } from '../parts/format.ts'
import { texts } from '../texts.ts'
import { STAGES, type Training } from './training.ts'

/** How far a training is, by its stages; then how it ended. */
export function TrainingProgress({ training }: { readonly training: Training | undefined }) {
  if (training === undefined) return null
  if (training.status === 'SUCCESS') return <TrainingEnd training={training} />
  if (training.status === 'FAILURE') {
    return (
      <p class="notice notice-bad" role="alert">
        {texts.training.failed(training.error ?? '')}
      </p>
    )
  }
  const reached = training.stage === undefined ? -1 : STAGES.indexOf(training.stage)
  return (
    <div class="stack" role="status" aria-label={texts.training.title}>
      <progress max="1" value={training.progress} aria-label={texts.training.title} />
      <ol class="stages">
        {STAGES.map((stage, index) => (
          <li key={stage} class={index < reached ? 'done' : ''} aria-current={index === reached ? 'step' : undefined}>
            {texts.training.stages[stage]}
          </li>
        ))}
      </ol>
    </div>
  )
}

function TrainingEnd({ training: { result } }: { readonly training: Training }) {
  if (result === undefined) return null
  const { version, promotion, figures, durationMs } = result
  if (promotion.outcome === 'refused') {
    return (
      <p class="notice notice-warn" role="status">
        {texts.training.refused(version, promotion.reason ?? '')}
      </p>
    )
  }
  return (
    <p class="notice notice-good" role="status">
      {texts.training.done(version, formatMs(durationMs), formatPercent(figures.accuracy))}
    </p>
  )
}
