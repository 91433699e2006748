/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal, type Signal } from '@preact/signals'
import { formatPercent } from '../parts/format.ts'
import { texts } from '../texts.ts'
import type { ReviewCluster, ReviewDecision } from './mentor-calls.ts'
import { isQuestionAnswer, type MentorAnswer } from './mentor.ts'

interface ReviewItemProps {
  readonly cluster: ReviewCluster
  readonly answers: readonly MentorAnswer[]
  readonly isBusy: boolean
  readonly onDecide: (decision: ReviewDecision) => void
}

/** Questions of about the same meaning, and the three things that can be done with them. */
export function ReviewItem({ cluster, answers, isBusy, onDecide }: ReviewItemProps) {
  const { suggestion } = cluster
  const chosen = useSignal(suggestion?.answer_id ?? '')
  const isWriting = useSignal(false)
  const questions = cluster.questions.map(({ question }) => question)
  return (
    <section class="card" aria-label={cluster.question}>
      <ul class="plain-list">
        {cluster.questions.map(({ question, count, answer_type: type, confidence }) => (
          <li key={question} class="row">
            <strong>{question}</strong>
            <span class="tag">{texts.ask.types[type]}</span>
            <span class="hint">
              {texts.review.asked(count)} · {formatPercent(confidence)}
            </span>
          </li>
        ))}
      </ul>
      <div class="row end-aligned">
        <AnswerChoice suggestion={suggestion} answers={answers} chosen={chosen} />
        <button
          type="button"
          class="primary"
          disabled={isBusy || chosen.value === ''}
          onClick={() => onDecide({ decision: 'accept', questions, answerId: chosen.value })}
        >
          {texts.review.accept}
        </button>
        <button type="button" disabled={isBusy} onClick={() => onDecide({ decision: 'reject', questions })}>
          {texts.review.reject}
        </button>
        <button type="button" aria-expanded={isWriting.value} onClick={() => (isWriting.value = !isWriting.value)}>
          {texts.review.newAnswer}
        </button>
      </div>
      {isWriting.value && (
        <NewAnswerForm
          isBusy={isBusy}
          onSave={(answer) => onDecide({ decision: 'new_answer', questions, ...(answer !== '' && { answer }) })}
        />
      )}
    </section>
  )
}

interface AnswerChoiceProps extends Pick<ReviewItemProps, 'answers'> {
  readonly suggestion: ReviewCluster['suggestion']
  /** Id of the answer that is chosen. */
  readonly chosen: Signal<string>
}

/** The right answer of a group of questions. */
function AnswerChoice({ suggestion, answers, chosen }: AnswerChoiceProps) {
  // A mentor may have thousands of answers, and there is a list for each group: it is filled when it is used.
  const isChoosing = useSignal(false)
  const choices = isChoosing.value ? answers.filter(isQuestionAnswer) : []
  return (
    <label class="field grow">
      <span>
        {suggestion === null ? texts.review.answer : texts.review.suggested(formatPercent(suggestion.confidence))}
      </span>
      <select
        value={chosen.value}
        onFocus={() => (isChoosing.value = true)}
        onChange={(event) => (chosen.value = event.currentTarget.value)}
      >
        <option value="">{texts.review.choose}</option>
        {!isChoosing.value && suggestion !== null && (
          <option value={suggestion.answer_id}>{suggestion.question}</option>
        )}
        {choices.map(({ _id, question }) => (
          <option key={_id} value={_id}>
            {question.question}
          </option>
        ))}
      </select>
    </label>
  )
}

/** What the mentor is to say to a group of questions, or nothing as yet. */
function NewAnswerForm({ isBusy, onSave }: { isBusy: boolean; onSave: (answer: string) => void }) {
  const written = useSignal('')
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        onSave(written.value.trim())
      }}
    >
      <label class="field">
        <span>{texts.review.newAnswerLabel}</span>
        <textarea rows={3} value={written.value} onInput={(event) => (written.value = event.currentTarget.value)} />
      </label>
      <div class="row">
        <button type="submit" class="primary" disabled={isBusy}>
          {texts.review.save}
        </button>
        <span class="hint">{texts.review.later}</span>
      </div>
    </form>
  )
}
