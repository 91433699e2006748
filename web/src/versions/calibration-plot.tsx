/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LinePlot } from '../charts/line-plot.tsx'
import { texts } from '../texts.ts'
import type { Evaluation } from './version-calls.ts'

/** How often answers of a confidence are right: on the diagonal, as often as they say. */
export function CalibrationPlot({ evaluation: { calibration } }: { readonly evaluation: Evaluation }) {
  if (calibration === null || calibration.length === 0) return <p class="hint">{texts.evaluation.noCalibration}</p>
  const largest = Math.max(...calibration.map(({ count }) => count))
  return (
    <LinePlot
      caption={texts.evaluation.calibrationCaption}
      xLabel={texts.evaluation.confidence}
      yLabel={texts.evaluation.shareRight}
      diagonal
      series={[
        {
          name: texts.evaluation.shareRight,
          points: calibration.map(({ meanConfidence, accuracy }) => [meanConfidence, accuracy] as const),
          weights: calibration.map(({ count }) => count / largest)
        }
      ]}
    />
  )
}
