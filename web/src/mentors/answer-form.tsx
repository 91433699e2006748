/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { texts as words } from '../texts.ts'
import type { AnswerTexts } from './mentor-edits.ts'

interface AnswerFormProps {
  /** Of an answer that there is; without them it is a new one. */
  readonly texts?: AnswerTexts
  /** An utterance has a name in place of a question. */
  readonly isUtterance?: boolean
  readonly isBusy: boolean
  readonly onSave: (texts: AnswerTexts) => Promise<void>
  readonly onRemove?: () => void
}

/** The texts of an answer. */
export function AnswerForm({ texts, isUtterance = false, isBusy, onSave, onRemove }: AnswerFormProps) {
  const question = useSignal(texts?.question ?? '')
  const paraphrases = useSignal(texts?.paraphrases.join('\n') ?? '')
  const answer = useSignal(texts?.answer ?? '')
  const submit = (event: Event): void => {
    event.preventDefault()
    const lines = paraphrases.value.split('\n').map((line) => line.trim())
    void onSave({
      question: question.value.trim(),
      paraphrases: lines.filter((line) => line !== ''),
      answer: answer.value.trim()
    })
  }
  return (
    <form class="stack answer-form" onSubmit={submit}>
      <label class="field">
        <span>{words.answers.question}</span>
        <input
          required
          readOnly={isUtterance}
          value={question.value}
          onInput={(event) => (question.value = event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>{words.answers.paraphrases}</span>
        <textarea
          rows={Math.min(10, Math.max(3, paraphrases.value.split('\n').length + 1))}
          value={paraphrases.value}
          onInput={(event) => (paraphrases.value = event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>{words.answers.answer}</span>
        <textarea
          rows={3}
          required
          value={answer.value}
          onInput={(event) => (answer.value = event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="submit" class="primary" disabled={isBusy}>
          {words.answers.save}
        </button>
        {onRemove !== undefined && (
          <button type="button" class="plain" disabled={isBusy} onClick={onRemove}>
            {words.answers.remove}
          </button>
        )}
      </div>
    </form>
  )
}
