/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Fault } from '../parts/fault.tsx'
import { FigureRow } from '../parts/figure-row.tsx'
import { formatChange, formatPercent } from '../parts/format.ts'
import { useLoaded } from '../service/use-loaded.ts'
import { linkTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { readDiff, type VersionDiff, type VersionList } from '../versions/version-calls.ts'
import { mentorPath } from './mentor-calls.ts'
import type { Mentor } from './mentor.ts'

interface HowGoodProps {
  readonly id: string
  readonly mentor: Mentor
  readonly versions: VersionList | undefined
  /** Of the data as they are now. */
  readonly revision: string | undefined
}

/** How good the live version is, and what the last changes of the data did to it. */
export function HowGood({ id, mentor, versions, revision }: HowGoodProps) {
  const live = versions?.versions.find(({ isLive }) => isLive)
  const before = versions?.versions.find(({ version }) => live !== undefined && version < live.version)
  const diff = useLoaded(
    async () => (live && before ? readDiff(mentorPath(id), before.version, live.version) : undefined),
    [id, live?.version, before?.version]
  )
  const nameOf = (classId: string): string =>
    mentor.answers?.find(({ _id }) => _id === classId)?.question.question ?? classId
  if (versions === undefined) return null
  if (live === undefined) {
    return (
      <aside class="card aside">
        <h2>{texts.howGood.title}</h2>
        <p class="hint">{texts.howGood.untrained}</p>
      </aside>
    )
  }
  const change = diff.value.value
  return (
    <aside class="card aside">
      <h2>{texts.howGood.title}</h2>
      {revision !== undefined && revision !== live.dataHash && (
        <p class="notice notice-warn" role="status">
          {texts.howGood.stale(live.version)}
        </p>
      )}
      <FigureRow
        figures={[
          {
            name: texts.versions.figures.accuracy,
            value: formatPercent(live.figures.accuracy),
            ...(change && { note: texts.howGood.since(change.from, formatChange(change.figures.accuracy.change)) })
          },
          {
            name: texts.versions.figures.offTopicRefused,
            value: formatPercent(live.figures.offTopicRefused),
            ...(change && {
              note: texts.howGood.since(change.from, formatChange(change.figures.offTopicRefused.change))
            })
          }
        ]}
      />
      <Fault sentence={diff.fault.value} />
      {change !== undefined && <Changes diff={change} nameOf={nameOf} />}
      <p>
        <a href={linkTo('mentors', id, 'evaluation')}>{texts.howGood.all}</a>
      </p>
    </aside>
  )
}

const MAX_SHOWN = 5

function Changes({ diff, nameOf }: { readonly diff: VersionDiff; readonly nameOf: (id: string) => string }) {
  const { fixed, broken } = diff.samples
  return (
    <div class="stack">
      <p>{texts.howGood.changed(fixed, broken)}</p>
      {diff.errors.added.length > 0 && (
        <>
          <h3>{texts.howGood.newlyWrong}</h3>
          <ul class="plain-list small">
            {diff.errors.added.slice(0, MAX_SHOWN).map(({ question, predictedId }, index) => (
              <li key={index}>
                {question} <span class="muted">→ {nameOf(predictedId)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}
