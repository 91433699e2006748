/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import { Fault } from '../parts/fault.tsx'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import { AnswerCard } from './answer-card.tsx'
import { askMentor, type GivenAnswer } from './mentor-calls.ts'
import { isQuestionAnswer, type Mentor } from './mentor.ts'

interface AskTabProps {
  readonly id: string
  /** Undefined for one who may only ask. */
  readonly mentor: Mentor | undefined
  readonly nameOf: (answerId: string) => string
}

interface Asked {
  readonly mentor: string
  readonly answer: GivenAnswer
  readonly durationMs: number
}

/** The last questions and answers, the newest first; they stay while other tabs are looked at. */
const asked = signal<readonly Asked[]>([])
const typed = signal('')
const MAX_KEPT = 10
const SUGGESTION_COUNT = 4

/** Asks the mentor. */
export function AskTab({ id, mentor, nameOf }: AskTabProps) {
  const task = useTask()
  const submit = async (question: string): Promise<void> => {
    const done = await task.run(async () => {
      const { answer, durationMs } = await askMentor(id, question)
      asked.value = [{ mentor: id, answer, durationMs }, ...asked.value].slice(0, MAX_KEPT)
    })
    if (done) typed.value = ''
  }
  const own = asked.value.filter(({ mentor: whose }) => whose === id)
  const suggestions = (mentor?.answers ?? []).filter(isQuestionAnswer).slice(0, SUGGESTION_COUNT)
  return (
    <>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          const question = typed.value.trim()
          if (question !== '') void submit(question)
        }}
      >
        <label class="field">
          <span>{texts.ask.label}</span>
          <input
            value={typed.value}
            placeholder={texts.ask.placeholder}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </label>
        <div class="row">
          <button type="submit" class="primary" disabled={task.isBusy.value || typed.value.trim() === ''}>
            {texts.ask.ask}
          </button>
          {suggestions.map(({ _id, question }) => (
            <button
              key={_id}
              type="button"
              class="small chip"
              disabled={task.isBusy.value}
              onClick={() => void submit(question.question)}
            >
              {question.question}
            </button>
          ))}
        </div>
        <Fault sentence={task.fault.value} />
      </form>
      {own.length === 0 && task.fault.value === undefined && <p class="empty">{texts.ask.nothingYet}</p>}
      {own.map(({ answer, durationMs }, index) => (
        <AnswerCard key={own.length - index} answer={answer} durationMs={durationMs} nameOf={nameOf} />
      ))}
    </>
  )
}
