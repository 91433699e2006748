/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { formatMs } from '../parts/format.ts'
import { texts } from '../texts.ts'
import { AnswerMedia } from './answer-media.tsx'
import { ConfidenceScale } from './confidence-scale.tsx'
import type { AnswerType, GivenAnswer } from './mentor-calls.ts'

const TAG_OF_TYPE: Readonly<Record<AnswerType, string>> = {
  EXACT: 'tag-good',
  PARAPHRASE: 'tag-good',
  CLASSIFIER: 'tag-accent',
  OFF_TOPIC: 'tag-warn'
}

interface AnswerCardProps {
  readonly answer: GivenAnswer
  readonly durationMs: number
  readonly nameOf: (answerId: string) => string
}

/** An answer, how sure it is, and why it was given. */
export function AnswerCard({ answer, durationMs, nameOf }: AnswerCardProps) {
  const { question, answer_text: text, answer_type: type, answer_missing: isMissing, classifier } = answer
  return (
    <article class="card">
      <div class="row">
        <h2>{question}</h2>
        <span class={`tag ${TAG_OF_TYPE[type]}`}>{texts.ask.types[type]}</span>
        <span class="hint">
          {classifier} · {formatMs(durationMs)}
        </span>
      </div>
      {isMissing && <p class="notice notice-warn">{texts.ask.missing}</p>}
      <blockquote>{text === '' ? texts.ask.noText : text}</blockquote>
      <AnswerMedia media={answer.answer_media} />
      <ConfidenceScale answer={answer} />
      <details>
        <summary>{texts.ask.why}</summary>
        <Reasons answer={answer} nameOf={nameOf} />
      </details>
    </article>
  )
}

function Reasons({ answer, nameOf }: { readonly answer: GivenAnswer; readonly nameOf: (answerId: string) => string }) {
  const { answer_type: type, explanation, alternatives = [] } = answer
  return (
    <div class="stack reasons">
      <p>{texts.ask.typesWhy[type]}</p>
      {explanation && (
        <p>
          {texts.ask.made(explanation.topic_score, explanation.match)}{' '}
          {texts.ask.nearness(explanation.similarity, explanation.character_similarity)}
        </p>
      )}
      {explanation && explanation.nearest_phrases.length > 0 && (
        <>
          <h3>{texts.ask.nearest}</h3>
          <ol class="pairs">
            {explanation.nearest_phrases.map(({ phrase, answer_id: answerId, similarity }, index) => (
              <li key={index}>
                <strong class="number">{similarity.toFixed(2)}</strong>
                <span>
                  {phrase}{' '}
                  <span class="muted">→ {answerId === null ? texts.ask.taughtOffTopic : nameOf(answerId)}</span>
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
      {alternatives.length > 0 && (
        <>
          <h3>{texts.ask.alternatives}</h3>
          <ol class="pairs">
            {alternatives.map(({ answer_id: answerId, question, confidence }) => (
              <li key={answerId}>
                <strong class="number">{confidence.toFixed(2)}</strong>
                <span>{question}</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  )
}
