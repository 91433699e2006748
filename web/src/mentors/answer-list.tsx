/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { texts } from '../texts.ts'
import { AnswerForm } from './answer-form.tsx'
import { addAnswer, changeAnswer, removeAnswer, type MentorEdit } from './mentor-edits.ts'
import { isQuestionAnswer, phrasesOf, type Mentor, type MentorAnswer } from './mentor.ts'
import { newId } from './new-id.ts'

interface AnswerListProps {
  readonly mentor: Mentor
  readonly isBusy: boolean
  readonly onEdit: (edit: MentorEdit) => Promise<boolean>
}

/** So many are shown at a time: a mentor may have thousands. */
const PAGE = 40

/** The answers, searched and changed. */
export function AnswerList({ mentor, isBusy, onEdit }: AnswerListProps) {
  const search = useSignal('')
  const shownCount = useSignal(PAGE)
  const isAdding = useSignal(false)
  const sought = search.value.trim().toLowerCase()
  const answers = mentor.answers ?? []
  const found = sought === '' ? answers : answers.filter((answer) => contains(answer, sought))
  return (
    <section class="card">
      <div class="row apart">
        <h2>{texts.answers.title(answers.filter(isQuestionAnswer).length)}</h2>
        <button type="button" aria-expanded={isAdding.value} onClick={() => (isAdding.value = !isAdding.value)}>
          {texts.answers.add}
        </button>
      </div>
      {isAdding.value && (
        <AnswerForm
          isBusy={isBusy}
          onSave={async (changed) => {
            if (await onEdit(addAnswer(newId(), changed))) isAdding.value = false
          }}
        />
      )}
      <label class="field">
        <span>{texts.answers.search}</span>
        <input
          type="search"
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value
            shownCount.value = PAGE
          }}
        />
      </label>
      {found.length === 0 && <p class="hint">{texts.answers.noneFound}</p>}
      <div class="answers">
        {found.slice(0, shownCount.value).map((answer) => (
          <AnswerItem key={answer._id} answer={answer} isBusy={isBusy} onEdit={onEdit} />
        ))}
      </div>
      {found.length > shownCount.value && (
        <button type="button" class="plain" onClick={() => (shownCount.value += PAGE)}>
          {texts.answers.more(found.length - shownCount.value)}
        </button>
      )}
    </section>
  )
}

function contains(answer: MentorAnswer, sought: string): boolean {
  return [...phrasesOf(answer), answer.transcript ?? ''].some((text) => text.toLowerCase().includes(sought))
}

interface AnswerItemProps {
  readonly answer: MentorAnswer
  readonly isBusy: boolean
  readonly onEdit: (edit: MentorEdit) => Promise<boolean>
}

/** An answer: its question, and opened all of it. */
function AnswerItem({ answer, isBusy, onEdit }: AnswerItemProps) {
  const isOpen = useSignal(false)
  const { _id: id, question, transcript } = answer
  return (
    <details id={`answer-${id}`} class="answer" onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>
        <span class="cut">{question.question}</span>
        {isQuestionAnswer(answer) ? (
          <span class="tag">{texts.answers.phrases(phrasesOf(answer).length)}</span>
        ) : (
          <span class="tag tag-accent">{texts.answers.utterance}</span>
        )}
      </summary>
      {isOpen.value && (
        <AnswerForm
          texts={{ question: question.question, paraphrases: question.paraphrases ?? [], answer: transcript ?? '' }}
          isUtterance={!isQuestionAnswer(answer)}
          isBusy={isBusy}
          onSave={async (changed) => void (await onEdit(changeAnswer(id, changed)))}
          onRemove={() => void onEdit(removeAnswer(id))}
        />
      )}
    </details>
  )
}
