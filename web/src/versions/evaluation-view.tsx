/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { ComponentChildren } from 'preact'
import { FigureRow } from '../parts/figure-row.tsx'
import { formatPercent } from '../parts/format.ts'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { texts } from '../texts.ts'
import { CalibrationPlot } from './calibration-plot.tsx'
import { ErrorTable } from './error-table.tsx'
import { OffTopicPlot } from './off-topic-plot.tsx'
import type { Evaluation, EvaluationReport } from './version-calls.ts'

interface EvaluationViewProps {
  readonly report: EvaluationReport
  /** What people call a class. */
  readonly nameOf: (classId: string) => string
  /** What can be done about the off-topic threshold, beside its curve. @default nothing */
  readonly offTopicControl?: ComponentChildren
}

/** How good a version is, measured on samples that it had not seen. */
export function EvaluationView({ report, nameOf, offTopicControl }: EvaluationViewProps) {
  const { evaluation, notMeasured } = report
  return (
    <>
      <FigureRow figures={figuresOf(evaluation)} />
      <Foreseen evaluation={evaluation} />
      {notMeasured.length > 0 && (
        <ul class="notice notice-warn plain-list" aria-label={texts.evaluation.notMeasured}>
          {notMeasured.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <div class="columns">
        <section class="card">
          <h3>{texts.evaluation.calibration}</h3>
          <CalibrationPlot evaluation={evaluation} />
          <p class="hint">{texts.evaluation.calibrationHint}</p>
        </section>
        <section class="card">
          <h3>{texts.evaluation.curve}</h3>
          <OffTopicPlot evaluation={evaluation} />
          <p class="hint">{texts.evaluation.curveHint}</p>
          {offTopicControl}
        </section>
      </div>
      <div class="columns">
        <section class="card">
          <h3>{texts.evaluation.confusions}</h3>
          <ConfusionTable evaluation={evaluation} nameOf={nameOf} />
        </section>
        <section class="card">
          <h3>{texts.evaluation.errors(evaluation.errors.length)}</h3>
          <ErrorTable errors={evaluation.errors} nameOf={nameOf} />
        </section>
      </div>
    </>
  )
}

function figuresOf(evaluation: Evaluation) {
  const { figures } = texts.evaluation
  return [
    { name: figures.accuracy, value: formatPercent(evaluation.accuracy), note: figures.of(evaluation.questionCount) },
    { name: figures.answeredRight, value: formatPercent(evaluation.answeredRight), note: figures.withRule },
    { name: figures.refused, value: formatPercent(evaluation.refused), note: figures.refusedNote },
    { name: figures.offTopicRefused, value: formatPercent(evaluation.offTopicRefused), note: figures.offTopicNote },
    {
      name: figures.calibrationError,
      value: evaluation.calibrationError === null ? '–' : evaluation.calibrationError.toFixed(3),
      note: figures.calibrationNote
    }
  ]
}

/** What users will see, who ask otherwise than authors write. */
function Foreseen({ evaluation: { foreseen } }: { evaluation: Evaluation }) {
  if (foreseen === undefined) return null
  const { figures } = texts.evaluation
  const named = [
    { name: figures.accuracy, interval: foreseen.accuracy },
    { name: figures.refused, interval: foreseen.refused },
    { name: figures.offTopicRefused, interval: foreseen.offTopicRefused }
  ]
  const told = named.flatMap(({ name, interval }) =>
    interval === null ? [] : [figures.between(name, formatPercent(interval.low), formatPercent(interval.high))]
  )
  return told.length === 0 ? null : <p class="hint">{figures.foreseen(told.join(', '))}</p>
}

const MAX_CONFUSIONS = 20

function ConfusionTable({
  evaluation: { confusions },
  nameOf
}: {
  evaluation: Evaluation
  nameOf: (id: string) => string
}) {
  if (confusions.length === 0) return <p class="hint">{texts.evaluation.noConfusions}</p>
  return (
    <ScrollRegion label={texts.evaluation.confusions}>
      <table class="list">
        <thead>
          <tr>
            <th scope="col" class="end">
              {texts.evaluation.count}
            </th>
            <th scope="col">{texts.evaluation.meant}</th>
            <th scope="col">{texts.evaluation.got}</th>
          </tr>
        </thead>
        <tbody>
          {confusions.slice(0, MAX_CONFUSIONS).map(({ classId, predictedId, count }) => (
            <tr key={`${classId} ${predictedId}`}>
              <td class="end number">{count}</td>
              <td>{nameOf(classId)}</td>
              <td>{nameOf(predictedId)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}
