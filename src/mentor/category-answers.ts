/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { repertoireOf } from './mentor.ts'
import type { CategoryAnswer, CategoryAnswerSource, MentorSource } from './mentor-source.ts'

/** Answers by category for mentors that are kept here: a category is the name of a topic, regardless of case. */
export class TopicAnswers implements CategoryAnswerSource {
  readonly #mentors: MentorSource

  constructor(mentors: MentorSource) {
    this.#mentors = mentors
  }

  async categoryAnswers(category: string, mentorId: string): Promise<readonly CategoryAnswer[] | undefined> {
    const mentor = (await this.#mentors.find(mentorId))?.mentor
    if (mentor === undefined) return undefined
    const wanted = category.trim().toLowerCase()
    const questionIds = new Set(
      mentor.questions
        ?.filter(({ topics }) => topics?.some(({ name }) => name.trim().toLowerCase() === wanted))
        .map(({ question }) => question._id)
    )
    return repertoireOf(mentor)
      .answers.filter(({ question }) => questionIds.has(question._id))
      .map(({ question, transcript }) => ({ questionText: question.question, answerText: transcript ?? '' }))
  }
}
