/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { Fault } from '../parts/fault.tsx'
import { saveAs } from '../parts/save-as.ts'
import type { Loaded } from '../service/use-loaded.ts'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import { exportVersion, promote, readDiff, rollBack, type VersionDiff, type VersionList } from './version-calls.ts'
import { DiffView } from './diff-view.tsx'
import { VersionTable } from './version-table.tsx'

interface VersionsViewProps {
  /** Of what has versions. */
  readonly path: string
  readonly versions: Loaded<VersionList>
  readonly nameOf: (classId: string) => string
  /** Begins the names of saved files. */
  readonly fileName: string
}

/** Versions of a model: compared, made live, taken back. */
export function VersionsView({ path, versions, nameOf, fileName }: VersionsViewProps) {
  const task = useTask()
  const diff = useSignal<VersionDiff | undefined>(undefined)
  const list = versions.value.value
  const change = (work: () => Promise<void>): void => {
    void task.run(async () => {
      await work()
      await versions.reload()
    })
  }
  if (list === undefined) return <Fault sentence={versions.fault.value} onRetry={() => void versions.reload()} />
  if (list.versions.length === 0) return <p class="empty">{texts.versions.none}</p>
  const canRollBack = list.history.length > 1
  return (
    <>
      <Fault sentence={task.fault.value} />
      <section class="card">
        <div class="row apart">
          <h2>{texts.versions.title}</h2>
          {canRollBack && (
            <button type="button" disabled={task.isBusy.value} onClick={() => change(() => rollBack(path))}>
              {texts.versions.rollBack}
            </button>
          )}
        </div>
        <VersionTable
          list={list}
          isBusy={task.isBusy.value}
          onCompare={(from, to) => void task.run(async () => void (diff.value = await readDiff(path, from, to)))}
          onPromote={(version) => change(() => promote(path, version))}
          onExport={(version) =>
            void task.run(async () => saveAs(`${fileName}-${version}.model`, await exportVersion(path, version)))
          }
        />
      </section>
      {diff.value !== undefined && <DiffView diff={diff.value} nameOf={nameOf} />}
      <section class="card">
        <h2>{texts.versions.history}</h2>
        <ol class="plain-list">
          {list.history.map(({ version, kind, at, by }, index) => (
            <li key={index}>{texts.versions.change(kind, version, new Date(at).toLocaleString(), by)}</li>
          ))}
        </ol>
      </section>
    </>
  )
}
