/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { texts } from '../texts.ts'
import { addOffTopicUtterance, leavePhraseTo, removeAnswer, type MentorEdit } from './mentor-edits.ts'
import type { LintFinding, Mentor, MentorLint, NearDuplicate } from './mentor.ts'
import { newId } from './new-id.ts'

interface FindingsProps {
  readonly lint: MentorLint
  readonly mentor: Mentor
  readonly isBusy: boolean
  readonly onFix: (edit: MentorEdit) => Promise<boolean>
}

const PAGE = 8

/** What in the data makes answers worse, each with what mends it. */
export function Findings({ lint: { lint, nearDuplicates }, mentor, isBusy, onFix }: FindingsProps) {
  const shownCount = useSignal(PAGE)
  const questions = new Map((mentor.answers ?? []).map(({ _id, question }) => [_id, question.question]))
  const nameOf = (id: string): string => questions.get(id) ?? id
  const items = [
    ...lint.map((finding, index) => (
      <FindingItem key={`lint ${index}`} finding={finding} nameOf={nameOf} isBusy={isBusy} onFix={onFix} />
    )),
    ...(nearDuplicates ?? []).map((duplicate, index) => (
      <DuplicateItem key={`near ${index}`} duplicate={duplicate} nameOf={nameOf} isBusy={isBusy} onFix={onFix} />
    ))
  ]
  return (
    <section class="card">
      <h2>{texts.findings.title}</h2>
      {items.length === 0 ? (
        <p class="hint">{texts.findings.none}</p>
      ) : (
        <ul class="findings">{items.slice(0, shownCount.value)}</ul>
      )}
      {items.length > shownCount.value && (
        <button type="button" class="plain" onClick={() => (shownCount.value += PAGE * 4)}>
          {texts.findings.more(items.length - shownCount.value)}
        </button>
      )}
    </section>
  )
}

interface FixProps {
  readonly nameOf: (answerId: string) => string
  readonly isBusy: boolean
  readonly onFix: (edit: MentorEdit) => Promise<boolean>
}

function Item({ says, children }: { readonly says: string; readonly children?: ComponentChildren }) {
  return (
    <li>
      <p>{says}</p>
      {children !== undefined && <div class="row tight">{children}</div>}
    </li>
  )
}

function FindingItem({ finding, nameOf, isBusy, onFix }: FixProps & { readonly finding: LintFinding }) {
  const fix = (title: string, edit: MentorEdit) => (
    <button key={title} type="button" class="small" disabled={isBusy} onClick={() => void onFix(edit)}>
      {title}
    </button>
  )
  if (finding.kind === 'SAME_PHRASE') {
    return (
      <Item says={texts.findings.samePhrase(finding.phrase, finding.answerIds.length)}>
        {finding.answerIds.map((id) => fix(texts.findings.leaveTo(nameOf(id)), leavePhraseTo(finding.phrase, id)))}
      </Item>
    )
  }
  if (finding.kind === 'NOTHING_TO_TRAIN') {
    return (
      <Item says={texts.findings.nothingToTrain(nameOf(finding.answerId))}>
        {fix(texts.findings.removeAnswer, removeAnswer(finding.answerId))}
      </Item>
    )
  }
  if (finding.kind === 'NO_OFF_TOPIC_UTTERANCE') {
    return (
      <Item says={texts.findings.noOffTopic}>
        {fix(texts.findings.addOffTopic, addOffTopicUtterance(newId(), texts.findings.offTopicText))}
      </Item>
    )
  }
  if (finding.kind === 'OTHER_SCRIPT') return <Item says={texts.findings.otherScript(finding.answerCount)} />
  if (finding.kind === 'SAME_ID') return <Item says={texts.findings.sameId(finding.answerId, finding.leftOut)} />
  if (finding.kind === 'TOO_FEW_ANSWERS') return <Item says={texts.findings.tooFewAnswers(finding.answerCount)} />
  return (
    <Item says={texts.findings.thin(nameOf(finding.answerId), finding.phraseCount)}>
      <a
        class="button small"
        href={`#answer-${finding.answerId}`}
        onClick={(event) => showAnswer(event, finding.answerId)}
      >
        {texts.findings.addPhrases}
      </a>
    </Item>
  )
}

function DuplicateItem({ duplicate, nameOf, isBusy, onFix }: FixProps & { readonly duplicate: NearDuplicate }) {
  const { phrases, answerIds, similarity } = duplicate
  return (
    <Item says={texts.findings.nearDuplicate(phrases[0], phrases[1], similarity)}>
      {answerIds.map((id, index) => {
        const other = phrases[1 - index] ?? ''
        const title = texts.findings.dropPhrase(other)
        return (
          <button
            key={id}
            type="button"
            class="small"
            disabled={isBusy}
            title={nameOf(id)}
            onClick={() => void onFix(leavePhraseTo(other, id))}
          >
            {title}
          </button>
        )
      })}
    </Item>
  )
}

/** The address is taken by screens: opens the answer by hand. */
function showAnswer(event: Event, answerId: string): void {
  event.preventDefault()
  const answer = document.getElementById(`answer-${answerId}`)
  if (answer instanceof HTMLDetailsElement) answer.open = true
  answer?.scrollIntoView({ block: 'start' })
  answer?.querySelector('summary')?.focus()
}
