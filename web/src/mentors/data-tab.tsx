/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Fault } from '../parts/fault.tsx'
import { useLoaded, type Loaded } from '../service/use-loaded.ts'
import { useTask } from '../service/use-task.ts'
import type { VersionList } from '../versions/version-calls.ts'
import { AnswerList } from './answer-list.tsx'
import { Findings } from './findings.tsx'
import { HowGood } from './how-good.tsx'
import { lastUpload } from './last-upload.ts'
import { editMentor, listMentors, readLint } from './mentor-calls.ts'
import type { MentorEdit } from './mentor-edits.ts'
import type { Mentor } from './mentor.ts'

interface DataTabProps {
  readonly id: string
  readonly mentor: Mentor
  readonly versions: Loaded<VersionList>
  readonly onChanged: () => void
}

/** What the author changes, beside how good the mentor was when last trained. */
export function DataTab({ id, mentor, versions, onChanged }: DataTabProps) {
  const task = useTask()
  const live = versions.value.value?.live ?? undefined
  const lint = useLoaded(() => readLint(id), [id, live])
  const listing = useLoaded(async () => (await listMentors()).find((one) => one.mentor === id), [id])
  const apply = (edit: MentorEdit): Promise<boolean> =>
    task.run(async () => {
      const stored = await editMentor(id, edit)
      lastUpload.value = stored.problems.length > 0 ? stored : undefined
      onChanged()
      await Promise.all([lint.reload(), listing.reload()])
    })
  return (
    <div class="beside">
      <div class="stack wide-gap">
        <Fault sentence={task.fault.value} />
        <Fault sentence={lint.fault.value} onRetry={() => void lint.reload()} />
        {lint.value.value !== undefined && (
          <Findings lint={lint.value.value} mentor={mentor} isBusy={task.isBusy.value} onFix={apply} />
        )}
        <AnswerList mentor={mentor} isBusy={task.isBusy.value} onEdit={apply} />
      </div>
      <HowGood id={id} mentor={mentor} versions={versions.value.value} revision={listing.value.value?.revision} />
    </div>
  )
}
