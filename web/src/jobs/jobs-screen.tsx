/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal, type Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Fault } from '../parts/fault.tsx'
import { saveAs } from '../parts/save-as.ts'
import { may } from '../service/caller.ts'
import { useLoaded } from '../service/use-loaded.ts'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import { cancelJob, enqueueExample, listJobs, readResult, redriveJob, STATES, type JobState } from './job-calls.ts'
import { JobTable } from './job-table.tsx'

const REFRESH_MS = 2000
const EXAMPLE_SENTENCES = 2000

/** Jobs by their state, and what can be done with them. */
export function JobsScreen() {
  const state = useSignal<JobState>('ALL')
  const cursors = useSignal<readonly string[]>([])
  const task = useTask()
  const cursor = cursors.value.at(-1)
  const page = useLoaded(() => listJobs(state.value, cursor, true), [state.value, cursor])
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden || page.fault.value !== undefined) return
      void listJobs(state.value, cursor, false).then(page.take, () => undefined)
    }, REFRESH_MS)
    return () => clearInterval(timer)
  }, [state.value, cursor])
  const act = (work: () => Promise<void>): void => {
    void task.run(async () => {
      await work()
      await page.reload()
    })
  }
  const shown = page.value.value
  return (
    <>
      <div class="row apart">
        <StateChoice
          state={state.value}
          onChoose={(chosen) => {
            state.value = chosen
            cursors.value = []
          }}
        />
        {may('encode') && (
          <button
            type="button"
            disabled={task.isBusy.value}
            onClick={() => act(() => enqueueExample(exampleSentences()))}
          >
            {texts.jobs.enqueue}
          </button>
        )}
      </div>
      <Fault sentence={task.fault.value} />
      <Fault sentence={page.fault.value} onRetry={() => void page.reload()} />
      {shown !== undefined && shown.jobs.length === 0 && (
        <p class="empty">{state.value === 'ALL' ? texts.jobs.none : texts.jobs.noneOfState}</p>
      )}
      {shown !== undefined && shown.jobs.length > 0 && (
        <JobTable
          jobs={shown.jobs}
          isBusy={task.isBusy.value}
          onCancel={(id) => act(() => cancelJob(id))}
          onRedrive={(id) => act(() => redriveJob(id))}
          onResult={(id) => void task.run(async () => saveAs(`${id}.json`, await readResult(id)))}
        />
      )}
      <PageButtons cursors={cursors} next={shown?.next} />
    </>
  )
}

/** Which jobs are shown. */
function StateChoice({ state, onChoose }: { state: JobState; onChoose: (state: JobState) => void }) {
  return (
    <label class="field inline">
      <span>{texts.jobs.show}</span>
      <select
        value={state}
        onChange={(event) => onChoose(STATES.find((one) => one === event.currentTarget.value) ?? 'ALL')}
      >
        {STATES.map((name) => (
          <option key={name} value={name}>
            {texts.jobs.states[name]}
          </option>
        ))}
      </select>
    </label>
  )
}

/** To the pages before and after; `cursors` are those of the pages up to the one that is shown. */
function PageButtons({ cursors, next }: { cursors: Signal<readonly string[]>; next: string | undefined }) {
  if (cursors.value.length === 0 && next === undefined) return null
  return (
    <div class="row">
      {cursors.value.length > 0 && (
        <button type="button" onClick={() => (cursors.value = cursors.value.slice(0, -1))}>
          {texts.jobs.newer}
        </button>
      )}
      {next !== undefined && (
        <button type="button" onClick={() => (cursors.value = [...cursors.value, next])}>
          {texts.jobs.older}
        </button>
      )}
    </div>
  )
}

function exampleSentences(): string[] {
  return Array.from({ length: EXAMPLE_SENTENCES }, (_, index) => texts.jobs.exampleSentence(index + 1))
}
