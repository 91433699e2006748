/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { texts } from '../texts.ts'

interface PointMapProps {
  readonly caption: string
  readonly labels: readonly string[]
  readonly points: readonly (readonly [x: number, y: number])[]
}

const WIDTH = 480
const HEIGHT = 320
const MARGIN = 24
/** More points have no numbers beside them, which would cover each other. */
const MAX_NUMBERED = 60

/** Points on a plane, in the same scale both ways, each with its number. */
export function PointMap({ caption, labels, points }: PointMapProps) {
  const pointed = useSignal<number | undefined>(undefined)
  const scale = scaleOf(points)
  return (
    <figure class="point-map">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label={caption}>
        <line class="axis" x1={MARGIN} x2={WIDTH - MARGIN} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        <line class="axis" x1={WIDTH / 2} x2={WIDTH / 2} y1={MARGIN} y2={HEIGHT - MARGIN} />
        {points.map(([x, y], index) => (
          <g
            key={index}
            class={`point${pointed.value === index ? ' pointed' : ''}`}
            transform={`translate(${(WIDTH / 2 + x * scale).toFixed(1)} ${(HEIGHT / 2 - y * scale).toFixed(1)})`}
            tabIndex={0}
            role="img"
            aria-label={`${index + 1}: ${labels[index]}`}
            onMouseEnter={() => (pointed.value = index)}
            onFocus={() => (pointed.value = index)}
          >
            <circle r="12" class="target" />
            <circle r="5" />
            {points.length <= MAX_NUMBERED && (
              <text x="8" y="4" aria-hidden="true">
                {index + 1}
              </text>
            )}
          </g>
        ))}
      </svg>
      <figcaption class="hint">
        {pointed.value === undefined ? texts.sentences.mapHint : `${pointed.value + 1}: ${labels[pointed.value] ?? ''}`}
      </figcaption>
    </figure>
  )
}

function scaleOf(points: PointMapProps['points']): number {
  const widest = Math.max(...points.map(([x]) => Math.abs(x)), 1e-9)
  const highest = Math.max(...points.map(([, y]) => Math.abs(y)), 1e-9)
  return Math.min((WIDTH / 2 - 2 * MARGIN) / widest, (HEIGHT / 2 - MARGIN) / highest)
}
