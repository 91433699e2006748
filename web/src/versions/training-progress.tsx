/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { ComponentChildren } from 'preact'
import { formatMs, formatPercent } from '../parts/format.ts'
import { texts } from '../texts.ts'
import { STAGES, type Training } from './training.ts'

interface TrainingProgressProps {
  readonly training: Training | undefined
  /** What to do next, once it has succeeded. */
  readonly children?: ComponentChildren
}

/** How far a training is, by its stages; then how it ended. */
export function TrainingProgress({ training, children }: TrainingProgressProps) {
  if (training === undefined) return null
  if (training.status === 'SUCCESS') return <TrainingEnd training={training}>{children}</TrainingEnd>
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

function TrainingEnd({ training: { result }, children }: { training: Training; children?: ComponentChildren }) {
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
    <div class="notice notice-good">
      <p role="status">{texts.training.done(version, formatMs(durationMs), formatPercent(figures.accuracy))}</p>
      {children}
    </div>
  )
}
