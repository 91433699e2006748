/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { Fault } from '../parts/fault.tsx'
import { useLoaded } from '../service/use-loaded.ts'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import { ChangedAnswers } from './changed-answers.tsx'
import { judge, readReview, type ChangedAnswer, type ReviewDecision } from './mentor-calls.ts'
import type { Mentor } from './mentor.ts'
import { ReviewItem } from './review-item.tsx'

interface ReviewTabProps {
  readonly id: string
  readonly mentor: Mentor | undefined
  readonly nameOf: (answerId: string) => string
  readonly onJudged: () => void
}

/** Asked questions that matched nothing, and what a person makes of them. */
export function ReviewTab({ id, mentor, nameOf, onJudged }: ReviewTabProps) {
  const task = useTask()
  const changed = useSignal<readonly ChangedAnswer[]>([])
  const queue = useLoaded(() => readReview(id), [id])
  const decide = (decision: ReviewDecision): void => {
    void task.run(async () => {
      changed.value = await judge(id, decision)
      await queue.reload()
      if (decision.decision === 'new_answer') onJudged()
    })
  }
  const review = queue.value.value
  return (
    <>
      <Fault sentence={queue.fault.value ?? task.fault.value} onRetry={() => void queue.reload()} />
      {changed.value.length > 0 && <ChangedAnswers changed={changed.value} nameOf={nameOf} />}
      {review !== undefined && review.clusters.length === 0 && <p class="empty">{texts.review.none}</p>}
      {review !== undefined && review.clusters.length > 0 && (
        <>
          <p class="hint">{texts.review.waiting(review.waiting, review.clusters.length)}</p>
          {review.clusters.map((cluster) => (
            <ReviewItem
              key={cluster.question}
              cluster={cluster}
              answers={mentor?.answers ?? []}
              isBusy={task.isBusy.value}
              onDecide={decide}
            />
          ))}
        </>
      )}
    </>
  )
}
