/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'
import type { ChangedAnswer } from './mentor-calls.ts'

interface ChangedAnswersProps {
  readonly changed: readonly ChangedAnswer[]
  readonly nameOf: (answerId: string) => string
}

/** Questions that the last decision has changed the answer of. */
export function ChangedAnswers({ changed, nameOf }: ChangedAnswersProps) {
  const answerOf = ({ answer_id: id, answer_type: type }: ChangedAnswer['before']): string =>
    type === 'OFF_TOPIC' ? texts.ask.types.OFF_TOPIC : nameOf(id)
  return (
    <section class="notice notice-good" aria-label={texts.review.changed}>
      <ul class="plain-list">
        {changed.map(({ question, before, after }) => (
          <li key={question}>{texts.review.changedAnswer(question, answerOf(before), answerOf(after))}</li>
        ))}
      </ul>
    </section>
  )
}
