/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { texts } from '../texts.ts'

interface HeatMapProps {
  readonly caption: string
  /** Of the rows and of the columns. */
  readonly labels: readonly string[]
  /** From 0, or less, to 1; a row for each label. */
  readonly values: readonly (readonly number[])[]
}

/** How much of the accent a cell has, in percent, for 0, 0.1, … 1: none at which neither dark nor light text can be read. */
const LEVELS = [0, 6, 12, 18, 24, 30, 37, 44, 80, 90, 100] as const

/** Similarities below 0 say no more than 0. */
function levelOf(value: number): number {
  return LEVELS[Math.round(Math.min(1, Math.max(0, value)) * 10)] ?? 0
}

/** Two decimals, without the sign of a zero. */
function shortCosine(value: number): string {
  return (Math.round(value * 100) / 100 || 0).toFixed(2)
}

/** Values of each label with each, as a table whose cells are the darker the greater they are. */
export function HeatMap({ caption, labels, values }: HeatMapProps) {
  const pointed = useSignal<readonly [number, number] | undefined>(undefined)
  const [row, column] = pointed.value ?? []
  const isDense = labels.length > 14
  return (
    <div class="heat-map">
      <ScrollRegion label={caption}>
        <table class={isDense ? 'dense' : undefined} onMouseLeave={() => (pointed.value = undefined)}>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="unseen">{texts.sentences.columns.sentence}</span>
              </th>
              {labels.map((label, index) => (
                <th key={index} scope="col" title={label}>
                  {index + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {labels.map((label, i) => (
              <tr key={i}>
                <th scope="row" title={label}>
                  <span>{i + 1}</span> <span class="cut">{label}</span>
                </th>
                {values[i]?.map((value, j) => (
                  <td
                    key={j}
                    style={{ '--level': `${levelOf(value)}%` }}
                    class={`${levelOf(value) > 50 ? 'strong' : ''}${i === row && j === column ? ' pointed' : ''}`}
                    onMouseEnter={() => (pointed.value = [i, j])}
                  >
                    {isDense ? <span class="unseen">{shortCosine(value)}</span> : shortCosine(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <p class="hint heat-map-pointed">
        {row !== undefined && column !== undefined
          ? texts.sentences.pointedPair(values[row]?.[column] ?? 0, labels[row] ?? '', labels[column] ?? '')
          : texts.sentences.pointHint}
      </p>
    </div>
  )
}
