/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Fault } from '../parts/fault.tsx'
import { formatPercent } from '../parts/format.ts'
import { saveAs } from '../parts/save-as.ts'
import { may } from '../service/caller.ts'
import { withJson } from '../service/service-request.ts'
import type { Loaded } from '../service/use-loaded.ts'
import { useTask } from '../service/use-task.ts'
import { goTo, linkTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { isTraining, train, trainingOf } from '../versions/training.ts'
import { TrainingProgress } from '../versions/training-progress.tsx'
import type { VersionList } from '../versions/version-calls.ts'
import { deleteMentor, exportTable, mentorPath } from './mentor-calls.ts'
import { isQuestionAnswer, type Mentor } from './mentor.ts'

interface StudioHeadProps {
  readonly id: string
  readonly mentor: Loaded<Mentor>
  readonly versions: Loaded<VersionList>
  /** Whether the mentor is being asked already. */
  readonly isAsking: boolean
}

/** Whose studio it is, how the mentor stands, and what can be done with it as a whole. */
export function StudioHead({ id, mentor, versions, isAsking }: StudioHeadProps) {
  const path = mentorPath(id)
  const task = useTask()
  const startTraining = async (): Promise<void> => {
    await task.run(async () => {
      const { ended } = await train(path, withJson('POST', '/train', { mentor: id }))
      await ended
    })
  }
  const remove = (): void => {
    if (!confirm(texts.studio.reallyDelete(id))) return
    void task.run(async () => {
      await deleteMentor(id)
      goTo('mentors')
    })
  }
  return (
    <section class="card" aria-label={id}>
      <div class="row apart">
        <div>
          <p class="hint">
            <a href={linkTo('mentors')}>{texts.studio.back}</a>
          </p>
          <h2 class="title">{mentor.value.value?.name ?? id}</h2>
          <p class="hint">{standingOf(mentor.value.value, versions.value.value)}</p>
        </div>
        {may('train') && (
          <div class="row">
            <button
              type="button"
              class="primary"
              disabled={isTraining(path) || task.isBusy.value}
              onClick={() => void startTraining()}
            >
              {isTraining(path) ? texts.training.running : texts.training.start}
            </button>
            <button type="button" onClick={() => void task.run(async () => saveAs(`${id}.csv`, await exportTable(id)))}>
              {texts.studio.export}
            </button>
            <button type="button" class="plain" onClick={remove}>
              {texts.studio.delete}
            </button>
          </div>
        )}
      </div>
      <Fault sentence={task.fault.value} />
      <TrainingProgress training={trainingOf(path)}>
        {!isAsking && (
          <a class="button small" href={linkTo('mentors', id, 'ask')}>
            {texts.studio.askIt}
          </a>
        )}
      </TrainingProgress>
    </section>
  )
}

/** How many answers the mentor has, and how good the version is that gives them. */
function standingOf(mentor: Mentor | undefined, list: VersionList | undefined): string {
  const answerCount = mentor?.answers?.filter(isQuestionAnswer).length
  const parts = answerCount === undefined ? [] : [texts.studio.answers(answerCount)]
  if (!may('train')) return parts.join(' · ')
  const live = list?.versions.find(({ isLive }) => isLive)
  const trained =
    live === undefined ? texts.studio.untrained : texts.studio.live(live.version, formatPercent(live.figures.accuracy))
  return [...parts, trained].join(' · ')
}
