/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LinePlot } from '../charts/line-plot.tsx'
import { texts } from '../texts.ts'
import { SHOWN_SECONDS, type ServiceSample } from './service-sample.ts'

interface TimePlotProps {
  readonly caption: string
  readonly yLabel: string
  readonly samples: readonly ServiceSample[]
  readonly lines: readonly { readonly name: string; readonly read: (sample: ServiceSample) => number | null }[]
  readonly format: (value: number) => string
  /** Top of the axis; by the values when left out. */
  readonly highest?: number
}

/** Values of the last minute. */
export function TimePlot({ caption, yLabel, samples, lines, format, highest }: TimePlotProps) {
  const nowMs = samples.at(-1)?.atMs ?? 0
  const series = lines.map(({ name, read }) => ({
    name,
    points: samples.flatMap((sample) => {
      const value = read(sample)
      return value === null ? [] : [[(sample.atMs - nowMs) / 1000, value] satisfies [number, number]]
    })
  }))
  const greatest = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)), 0)
  return (
    <LinePlot
      caption={caption}
      xLabel={texts.watch.seconds}
      yLabel={yLabel}
      xRange={[-SHOWN_SECONDS, 0]}
      yRange={[0, highest ?? niceTop(greatest)]}
      formatX={(seconds) => String(Math.round(seconds))}
      formatY={format}
      isTabulated={false}
      series={series}
    />
  )
}

/** The next number of the kind 1, 2, 4, 10, 20, … that the axis ends at. */
function niceTop(greatest: number): number {
  if (greatest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(greatest))
  return ([1, 2, 4, 10].find((step) => step * power >= greatest) ?? 10) * power
}
