/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { formatPercent } from '../parts/format.ts'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { texts } from '../texts.ts'
import type { Job } from './job-calls.ts'

interface JobActions {
  readonly isBusy: boolean
  readonly onCancel: (id: string) => void
  readonly onRedrive: (id: string) => void
  readonly onResult: (id: string) => void
}

/** Jobs, the newest first. */
export function JobTable({ jobs, ...actions }: { readonly jobs: readonly Job[] } & JobActions) {
  const { columns } = texts.jobs
  return (
    <section class="card">
      <ScrollRegion label={texts.jobs.title}>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{columns.status}</th>
              <th scope="col">{columns.type}</th>
              <th scope="col">{columns.actions}</th>
              <th scope="col">{columns.created}</th>
              <th scope="col" class="end">
                {columns.tries}
              </th>
              <th scope="col">{columns.about}</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <JobRow key={job.id} job={job} {...actions} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </section>
  )
}

function tagOf({ status, failure }: Job): string {
  if (status === 'SUCCESS') return 'tag-good'
  if (status === 'FAILURE') return failure === 'CANCELLED' ? '' : 'tag-bad'
  return status === 'IN_PROGRESS' ? 'tag-accent' : ''
}

function JobRow({ job, isBusy, onCancel, onRedrive, onResult }: { readonly job: Job } & JobActions) {
  const { id, type, status, failure, error, progress, attempts, created } = job
  const act = (title: string, action: (id: string) => void) => (
    <button type="button" class="small" disabled={isBusy} aria-label={`${title} ${id}`} onClick={() => action(id)}>
      {title}
    </button>
  )
  return (
    <tr>
      <td>
        <span class={`tag ${tagOf(job)}`}>{texts.jobs.status[failure ?? status]}</span>
        {status === 'IN_PROGRESS' && <span class="hint"> {formatPercent(progress)}</span>}
      </td>
      <td class="number">{type}</td>
      <td>
        {(status === 'QUEUED' || status === 'IN_PROGRESS') && act(texts.jobs.cancel, onCancel)}
        {(failure === 'DEAD' || failure === 'PERMANENT') && act(texts.jobs.redrive, onRedrive)}
        {status === 'SUCCESS' && act(texts.jobs.result, onResult)}
      </td>
      <td class="number">{new Date(created).toLocaleString()}</td>
      <td class="end number">{attempts}</td>
      <td>
        <code class="small muted">{id}</code>
        {error !== undefined && <div class="bad small">{error}</div>}
      </td>
    </tr>
  )
}
