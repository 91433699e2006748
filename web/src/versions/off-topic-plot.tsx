/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LinePlot } from '../charts/line-plot.tsx'
import { texts } from '../texts.ts'
import type { CurvePoint, Evaluation } from './version-calls.ts'

type Measure = 'coverage' | 'errorRate' | 'offTopicAnswered'
const MEASURES: readonly Measure[] = ['coverage', 'errorRate', 'offTopicAnswered']

/** What would happen with the line between on and off topic drawn elsewhere. */
export function OffTopicPlot({ evaluation }: { readonly evaluation: Evaluation }) {
  const { offTopicCurve, refused } = evaluation
  const measured = MEASURES.filter((measure) => offTopicCurve.some((point) => point[measure] !== null))
  if (offTopicCurve.length === 0) return <p class="hint">{texts.evaluation.noCurve}</p>
  const thresholds = offTopicCurve.map(({ threshold }) => threshold)
  const drawn = evaluation.threshold ?? drawnThreshold(offTopicCurve, refused)
  const isShare = thresholds.every((threshold) => threshold >= 0 && threshold <= 1)
  const range = isShare ? ([0, 1] as const) : ([Math.min(...thresholds), Math.max(...thresholds)] as const)
  return (
    <LinePlot
      caption={texts.evaluation.curveCaption}
      xLabel={texts.evaluation.threshold}
      yLabel={texts.evaluation.shareOfQuestions}
      xRange={range}
      formatX={(x) => x.toFixed(2)}
      {...(drawn !== undefined && { mark: { x: drawn, name: texts.evaluation.now } })}
      series={measured.map((measure) => ({
        name: texts.evaluation.measures[measure],
        points: pointsOf(offTopicCurve, measure)
      }))}
    />
  )
}

/** The threshold of a model whose report does not have it: where as many questions are refused as were. */
function drawnThreshold(curve: readonly CurvePoint[], refused: number | null): number | undefined {
  if (refused === null) return undefined
  const covered = 1 - refused
  const after = curve.findIndex(({ coverage }) => coverage <= covered)
  const [before, next] = [curve[after - 1], curve[after]]
  if (before === undefined || next === undefined) return undefined
  const share = (before.coverage - covered) / (before.coverage - next.coverage || 1)
  return before.threshold + share * (next.threshold - before.threshold)
}

function pointsOf(curve: readonly CurvePoint[], measure: Measure): [number, number][] {
  return curve.flatMap((point) => {
    const value = point[measure]
    return value === null ? [] : [[point.threshold, value] satisfies [number, number]]
  })
}
