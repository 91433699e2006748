/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useEffect, useMemo } from 'preact/hooks'
import { Fault } from '../parts/fault.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { may } from '../service/caller.ts'
import { useLoaded } from '../service/use-loaded.ts'
import { linkTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { trainingOf } from '../versions/training.ts'
import { readVersions } from '../versions/version-calls.ts'
import { VersionsView } from '../versions/versions-view.tsx'
import { AskTab } from './ask-tab.tsx'
import { DataTab } from './data-tab.tsx'
import { EvaluationTab } from '../versions/evaluation-tab.tsx'
import { mentorPath, readMentor } from './mentor-calls.ts'
import type { Mentor } from './mentor.ts'
import { OffTopicBoundForm } from './off-topic-bound.tsx'
import { ReviewTab } from './review-tab.tsx'
import { StudioHead } from './studio-head.tsx'
import { UploadReport } from './upload-report.tsx'

/** Parts of the studio; one who may only ask sees nothing else. */
const TABS = ['data', 'ask', 'evaluation', 'versions', 'review'] as const
type TabName = (typeof TABS)[number]

interface MentorStudioProps {
  readonly id: string
  readonly tab: string | undefined
}

/** One mentor: what an author changes, and how good it then is. */
export function MentorStudio({ id, tab }: MentorStudioProps) {
  const path = mentorPath(id)
  const mayTrain = may('train')
  const offered: readonly TabName[] = mayTrain ? TABS : ['ask']
  const current = offered.find((name) => name === tab) ?? offered[0] ?? 'ask'
  const mentor = useLoaded(async (): Promise<Mentor> => (mayTrain ? readMentor(id) : {}), [id, String(mayTrain)])
  const versions = useLoaded(
    async () => (mayTrain ? readVersions(path) : { live: null, versions: [], history: [] }),
    [path, String(mayTrain)]
  )
  const trained = trainingOf(path)?.status
  useEffect(() => {
    if (trained === 'SUCCESS') void versions.reload()
  }, [trained])
  const data = mentor.value.value
  const names = useMemo(
    () => new Map((data?.answers ?? []).map(({ _id, question }) => [_id, question.question])),
    [data]
  )
  const nameOf = (classId: string): string => names.get(classId) ?? classId
  return (
    <>
      <StudioHead id={id} mentor={mentor} versions={versions} isAsking={current === 'ask'} />
      <Tabs
        label={texts.studio.tabs}
        current={current}
        tabs={offered.map((name) => ({
          name,
          title: texts.studio.tab[name],
          href: linkTo('mentors', id, name)
        }))}
      />
      <Fault sentence={mentor.fault.value} onRetry={() => void mentor.reload()} />
      {current === 'data' && data !== undefined && (
        <>
          <UploadReport id={id} />
          <DataTab id={id} mentor={data} versions={versions} onChanged={() => void mentor.reload()} />
        </>
      )}
      {current === 'ask' && <AskTab id={id} mentor={data} nameOf={nameOf} />}
      {current === 'evaluation' && (
        <EvaluationTab
          path={path}
          versions={versions}
          nameOf={nameOf}
          offTopicControl={({ offTopicBound: bound }) =>
            bound !== undefined && <OffTopicBoundForm key={JSON.stringify(bound)} id={id} bound={bound} />
          }
        />
      )}
      {current === 'versions' && <VersionsView path={path} versions={versions} nameOf={nameOf} fileName={id} />}
      {current === 'review' && (
        <ReviewTab id={id} mentor={data} nameOf={nameOf} onJudged={() => void mentor.reload()} />
      )}
    </>
  )
}
