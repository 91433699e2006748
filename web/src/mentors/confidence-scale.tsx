/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'
import type { GivenAnswer } from './mentor-calls.ts'

const WIDTH = 480
const HEIGHT = 56
const MARGIN = 10
const LINE = 26

/** How sure the answer is on the scale of its model, with the line below which a question is off topic, and the other answers. */
export function ConfidenceScale({ answer }: { readonly answer: GivenAnswer }) {
  const { confidence, explanation, alternatives = [] } = answer
  const threshold = explanation?.threshold
  // Decision values of ridge are no probabilities: they lie about 0.
  const isProbability = !answer.classifier.startsWith('ridge')
  const [low, high] = isProbability ? [0, 1] : [-1.5, 1.5]
  const xOf = (value: number): number =>
    MARGIN + ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (WIDTH - 2 * MARGIN)
  return (
    <figure class="scale">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={texts.ask.scale(confidence.toFixed(2), threshold?.toFixed(2))}
      >
        <rect class="track" x={MARGIN} y={LINE - 4} width={WIDTH - 2 * MARGIN} height="8" rx="4" />
        {threshold !== undefined && (
          <>
            <rect class="off-topic" x={MARGIN} y={LINE - 4} width={xOf(threshold) - MARGIN} height="8" rx="4" />
            <line class="threshold" x1={xOf(threshold)} x2={xOf(threshold)} y1={LINE - 12} y2={LINE + 12} />
            <text x={xOf(threshold)} y={HEIGHT - 4} text-anchor="middle">
              {texts.ask.offTopicBelow(threshold.toFixed(2))}
            </text>
          </>
        )}
        {alternatives.slice(1).map(({ answer_id: id, confidence: other }) => (
          <circle key={id} class="other" cx={xOf(other)} cy={LINE} r="4" />
        ))}
        <circle class="given" cx={xOf(confidence)} cy={LINE} r="8" />
        <text class="strong" x={xOf(confidence)} y="12" text-anchor={confidence > 0.9 ? 'end' : 'middle'}>
          {confidence.toFixed(2)}
        </text>
      </svg>
    </figure>
  )
}
