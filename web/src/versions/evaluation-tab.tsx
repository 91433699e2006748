/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Fault } from '../parts/fault.tsx'
import { useLoaded, type Loaded } from '../service/use-loaded.ts'
import { texts } from '../texts.ts'
import { EvaluationView } from './evaluation-view.tsx'
import { readEvaluation, type EvaluationReport, type VersionList } from './version-calls.ts'

interface EvaluationTabProps {
  /** Of what has versions. */
  readonly path: string
  readonly versions: Loaded<VersionList>
  readonly nameOf: (classId: string) => string
  /** What can be done about the off-topic threshold of the model of a report. @default nothing */
  readonly offTopicControl?: (report: EvaluationReport) => ComponentChildren
}

/** How good a version is; the live one, unless another is chosen. */
export function EvaluationTab({ path, versions, nameOf, offTopicControl }: EvaluationTabProps) {
  const chosen = useSignal<number | undefined>(undefined)
  const list = versions.value.value
  const version = chosen.value ?? list?.live ?? undefined
  const report = useLoaded(
    async () => (version === undefined ? undefined : readEvaluation(path, version)),
    [path, version]
  )
  if (list === undefined) return <Fault sentence={versions.fault.value} onRetry={() => void versions.reload()} />
  if (version === undefined) return <p class="empty">{texts.evaluation.untrained}</p>
  return (
    <>
      <div class="row">
        <label class="field inline">
          <span>{texts.evaluation.version}</span>
          <select value={version} onChange={(event) => (chosen.value = Number(event.currentTarget.value))}>
            {list.versions.map(({ version: number, isLive }) => (
              <option key={number} value={number}>
                {isLive ? texts.evaluation.liveVersion(number) : number}
              </option>
            ))}
          </select>
        </label>
        <p class="hint">{texts.evaluation.how}</p>
      </div>
      <Fault sentence={report.fault.value} onRetry={() => void report.reload()} />
      {report.value.value !== undefined && (
        <EvaluationView
          key={version}
          report={report.value.value}
          nameOf={nameOf}
          offTopicControl={offTopicControl?.(report.value.value)}
        />
      )}
    </>
  )
}
