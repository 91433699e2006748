/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { GradedQuestion } from './match-index.ts'
import type { Mentor, MentorAnswer } from './mentor.ts'
import type { FindOptions, FoundMentor, MentorSource } from './mentor-source.ts'
import { sanitize } from './sanitize.ts'

/** A person's decision about a question that users asked. */
export interface QuestionGrade {
  /** The question as asked. Questions that are equal when sanitized are one, and its latest grade counts. */
  readonly question: string
  /** The right answer; undefined when the mentor should not answer the question. */
  readonly answerId: string | undefined
}

/** Stores grades durably: a stored grade survives a power loss. */
export interface GradeStore {
  /** Changes with a mentor's grades; undefined while there are none. */
  revisionOf(mentorId: string): Promise<string | undefined>
  /** All grades of a mentor, the latest first. */
  gradesOf(mentorId: string): Promise<readonly QuestionGrade[]>
  /**
   * @param by who graded, for the record
   * @throws {ServiceError} CONFLICT beyond {@link MAX_GRADES} of a mentor: no grade is stored then
   */
  grade(mentorId: string, grades: readonly QuestionGrade[], by: string): Promise<void>
  /** Deletes the grades of a deleted mentor. */
  deleteOf(mentorId: string): Promise<void>
}

/** Maximum number of grades of a mentor. */
export const MAX_GRADES = 25_000

/**
 * Adds the questions that people graded to the mentors of a source. A graded question matches first and is a paraphrase
 * of its answer, so training learns from it; it is no longer a paraphrase of another answer. Questions that the mentor
 * should not answer are off topic at once, and training learns from them too.
 */
export class GradedMentors implements MentorSource {
  readonly #mentors: MentorSource
  readonly #grades: GradeStore

  constructor(mentors: MentorSource, grades: GradeStore) {
    this.#mentors = mentors
    this.#grades = grades
  }

  async revisionOf(id: string, options?: FindOptions): Promise<string | undefined> {
    const [revision, graded] = await Promise.all([this.#mentors.revisionOf(id, options), this.#grades.revisionOf(id)])
    return joinRevisions(revision, graded)
  }

  async find(id: string, options?: FindOptions): Promise<FoundMentor | undefined> {
    // The revision is read before the grades: grades stored in between are then read again later, not missed.
    const graded = await this.#grades.revisionOf(id)
    const found = await this.#mentors.find(id, options)
    if (found === undefined || graded === undefined) return found
    const grades = latestOfEach(await this.#grades.gradesOf(id))
    const answers = [...(found.mentor.answers ?? []), ...(found.mentor.orphanedCompleteAnswers ?? [])]
    const answersById = new Map(answers.map((answer) => [answer._id, answer]))
    const own = grades.flatMap(({ question, answerId }): GradedQuestion[] => {
      const answer = answerId === undefined ? undefined : answersById.get(answerId)
      return answer === undefined ? [] : [{ question, answer }]
    })
    return {
      mentor: withGraded(found.mentor, own),
      gradedQuestions: [...own, ...found.gradedQuestions],
      rejectedQuestions: grades.filter(({ answerId }) => answerId === undefined).map(({ question }) => question),
      revision: joinRevisions(found.revision, graded) ?? found.revision,
      byteLength: found.byteLength + own.reduce((bytes, { question }) => bytes + question.length, 0)
    }
  }
}

function joinRevisions(revision: string | undefined, graded: string | undefined): string | undefined {
  return revision === undefined || graded === undefined ? revision : `${revision}+${graded}`
}

/**
 * The first grade of each question. A store has a question twice where it has told apart two texts of it, which versions
 * did that kept ASCII letters only.
 */
function latestOfEach(grades: readonly QuestionGrade[]): QuestionGrade[] {
  const seen = new Set<string>()
  return grades.filter(({ question }) => {
    const key = sanitize(question)
    return !seen.has(key) && seen.add(key)
  })
}

function withGraded(mentor: Mentor, all: readonly GradedQuestion[]): Mentor {
  const answerIdOf = new Map(all.map(({ question, answer }) => [sanitize(question), answer._id]))
  const questionsOf = Map.groupBy(all, ({ answer }) => answer._id)
  const change = (answer: MentorAnswer): MentorAnswer => {
    const own = sanitize(answer.question.question)
    const graded = questionsOf.get(answer._id)?.map(({ question }) => question) ?? []
    const added = graded.filter((question) => sanitize(question) !== own)
    const kept = (answer.question.paraphrases ?? []).filter((phrase) => !answerIdOf.has(sanitize(phrase)))
    return { ...answer, question: { ...answer.question, paraphrases: [...kept, ...added] } }
  }
  return {
    ...mentor,
    answers: mentor.answers?.map(change) ?? null,
    orphanedCompleteAnswers: mentor.orphanedCompleteAnswers?.map(change) ?? null
  }
}
