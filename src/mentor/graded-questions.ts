/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { GradedQuestion } from './match-index.ts'
import type { Mentor, MentorAnswer } from './mentor.ts'
import type { FindOptions, FoundMentor, MentorSource } from './mentor-source.ts'
import { sanitize } from './sanitize.ts'

/** What a person has decided about a question that users asked. */
export interface QuestionGrade {
  /** As asked. Two that are the same when sanitized are one question, and the later grade counts. */
  readonly question: string
  /** The right answer; undefined when the question is set aside, as none of the mentor's. */
  readonly answerId: string | undefined
}

/** Keeps grades. What it promises to have kept survives a power loss. */
export interface GradeStore {
  /** Changes with a mentor's grades; undefined while there are none. */
  revisionOf(mentorId: string): Promise<string | undefined>
  /** All grades of a mentor, the latest first. */
  gradesOf(mentorId: string): Promise<readonly QuestionGrade[]>
  /**
   * @param by who decides, for the record
   * @throws {ServiceError} CONFLICT beyond {@link MAX_GRADES} of a mentor: nothing is kept then
   */
  grade(mentorId: string, grades: readonly QuestionGrade[], by: string): Promise<void>
  /** Forgets the grades of a mentor that is no more. */
  deleteOf(mentorId: string): Promise<void>
}

/** Grades of one mentor. */
export const MAX_GRADES = 25_000

/**
 * Mentors with the questions that people graded here: they match before all else, and are paraphrases of their answer, which
 * training learns from. A phrase that was graded to another answer is no paraphrase of its former one. What was set aside as none of
 * the mentor's is told too: it is off topic at once, and training learns from it.
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
    // The revision first: grades that come in between are then looked up once more, and not missed.
    const graded = await this.#grades.revisionOf(id)
    const found = await this.#mentors.find(id, options)
    if (found === undefined || graded === undefined) return found
    const grades = await this.#grades.gradesOf(id)
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
