/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useEffect } from 'preact/hooks'
import { Fault } from '../parts/fault.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { may } from '../service/caller.ts'
import { useLoaded } from '../service/use-loaded.ts'
import { linkTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { EvaluationTab } from '../versions/evaluation-tab.tsx'
import { trainingOf } from '../versions/training.ts'
import { TrainingProgress } from '../versions/training-progress.tsx'
import { readVersions } from '../versions/version-calls.ts'
import { VersionsView } from '../versions/versions-view.tsx'
import { classifierPath, listClassifiers } from './classifier-calls.ts'
import { ClassifierHead } from './classifier-head.tsx'
import { PredictTab } from './predict-tab.tsx'
import { TableReport } from './table-report.tsx'
import { understood } from './train-from-table.ts'

const TABS = ['predict', 'evaluation', 'versions'] as const
type TabName = (typeof TABS)[number]

interface ClassifierStudioProps {
  readonly name: string
  readonly tab: string | undefined
}

/** One classifier: predict, see how good it is, choose a version. */
export function ClassifierStudio({ name, tab }: ClassifierStudioProps) {
  const path = classifierPath(name)
  const mayTrain = may('train')
  const offered: readonly TabName[] = mayTrain ? TABS : ['predict']
  const current = offered.find((one) => one === tab) ?? 'predict'
  const training = trainingOf(path)
  const listing = useLoaded(
    async () => (await listClassifiers()).find(({ classifier }) => classifier === name) ?? null,
    [name, training?.status]
  )
  const versions = useLoaded(
    async () => (mayTrain && listing.value.value ? readVersions(path) : { live: null, versions: [], history: [] }),
    [path, String(mayTrain), listing.value.value?.versionCount]
  )
  const trained = training?.status
  useEffect(() => {
    if (trained === 'SUCCESS') void listing.reload()
  }, [trained])
  const accepted = understood.value[name]
  const listed = listing.value.value
  return (
    <>
      <ClassifierHead name={name} listed={listed} />
      <TrainingProgress training={training} />
      {accepted !== undefined && <TableReport accepted={accepted} />}
      <Fault sentence={listing.fault.value} onRetry={() => void listing.reload()} />
      {listed === null && training === undefined && <p class="empty">{texts.classifiers.unknown(name)}</p>}
      {listed !== null && listed !== undefined && (
        <>
          <Tabs
            label={texts.studio.tabs}
            current={current}
            tabs={offered.map((one) => ({
              name: one,
              title: texts.classifiers.tab[one],
              href: linkTo('classifiers', name, one)
            }))}
          />
          {current === 'predict' && <PredictTab key={listed.updated} listed={listed} />}
          {current === 'evaluation' && <EvaluationTab path={path} versions={versions} nameOf={String} />}
          {current === 'versions' && <VersionsView path={path} versions={versions} nameOf={String} fileName={name} />}
        </>
      )}
    </>
  )
}
