/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { MentorAnswer, Repertoire } from './mentor.ts'
import { sanitize } from './sanitize.ts'

/** A user's question that a person graded to its right answer. */
export interface GradedQuestion {
  readonly question: string
  readonly answer: MentorAnswer
}

export interface Match {
  readonly answer: MentorAnswer
  /** EXACT when the question is the answer's own, else PARAPHRASE. */
  readonly type: 'EXACT' | 'PARAPHRASE'
}

/** Index of the phrases that questions match word for word. */
export class MatchIndex {
  readonly #answers: ReadonlyMap<string, MentorAnswer>
  readonly #rejected: ReadonlySet<string>

  /**
   * Graded user questions win over an answer's own question, and that over paraphrases of other answers; among equals
   * the first wins. Only matchable answers take part, in graded questions too.
   * @param rejected questions that people judged to have no answer
   */
  constructor(
    { matchable }: Pick<Repertoire, 'matchable'>,
    graded: readonly GradedQuestion[] = [],
    rejected: readonly string[] = []
  ) {
    const byText = new Map<string, MentorAnswer>()
    const add = (text: string, answer: MentorAnswer) => {
      const key = sanitize(text)
      // Texts without a letter or digit, such as those of emoji alone, would all be equal.
      if (key.trim() !== '' && !byText.has(key)) byText.set(key, answer)
    }
    const known = new Map(matchable.map((answer) => [answer._id, answer]))
    for (const { question, answer } of graded) {
      const own = known.get(answer._id)
      if (own !== undefined) add(question, own)
    }
    for (const answer of matchable) add(answer.question.question, answer)
    for (const answer of matchable) for (const phrase of answer.question.paraphrases ?? []) add(phrase, answer)
    this.#answers = byText
    this.#rejected = new Set(rejected.map(sanitize).filter((text) => text.trim() !== ''))
  }

  /** Whether people judged that no answer fits this question, sanitized. */
  isRejected(question: string): boolean {
    return this.#rejected.size > 0 && this.#rejected.has(sanitize(question))
  }

  /** The answer whose question, paraphrase or graded question this is, sanitized. */
  find(question: string): Match | undefined {
    const key = sanitize(question)
    const answer = this.#answers.get(key)
    if (answer === undefined) return undefined
    return { answer, type: sanitize(answer.question.question) === key ? 'EXACT' : 'PARAPHRASE' }
  }
}
