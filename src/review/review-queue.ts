/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import type { Alternative } from '../answering/answer.ts'
import type { AskedQuestion, AskedQuestions } from '../answering/answer-record.ts'
import type { QuestionAnswering } from '../answering/question-answering.ts'
import type { EmbeddingCache } from '../embedding/embedding-cache.ts'
import { ServiceError } from '../errors.ts'
import type { GradeStore } from '../mentor/graded-questions.ts'
import { MatchIndex } from '../mentor/match-index.ts'
import { repertoireOf, type Mentor } from '../mentor/mentor.ts'
import type { CallerHeaders, MentorSource, MentorStore } from '../mentor/mentor-source.ts'
import type { UploadReader } from '../mentor/read-upload.ts'
import { sanitize } from '../mentor/sanitize.ts'
import { clusterQuestions, type ReviewCluster, type ReviewQuestion } from './review-clusters.ts'

/** A cluster of similar questions, for a person to judge. */
export interface ReviewItem {
  /** The centre of the cluster first, then the others, the nearest first. */
  readonly questions: readonly ReviewQuestion[]
  /** Number of questions in the cluster, including those that are not listed. */
  readonly questionCount: number
  /** How often they were asked in total. */
  readonly count: number
  /** The live version's most likely answer to the first question; undefined when none is likely. */
  readonly suggestion: Alternative | undefined
}

/** Result of {@link ReviewQueue.review}. */
export interface Review {
  /** Number of recorded questions that were considered, repetitions included. */
  readonly consideredCount: number
  /** Number of distinct questions among them that wait for review. */
  readonly waitingCount: number
  /** Clusters, the ones with the most doubt first. */
  readonly items: readonly ReviewItem[]
}

/** An answer to add to a mentor. */
export interface NewAnswer {
  /** The question that it answers. */
  readonly question: string
  /** The text of the answer; undefined when it is still to be recorded. */
  readonly answer: string | undefined
  readonly topic: string | undefined
}

/** The person who reviews. */
export interface Reviewer {
  /** Name for the record. */
  readonly by: string
  readonly caller: CallerHeaders
}

/** Dependencies of a {@link ReviewQueue}. */
export interface ReviewQueueDependencies {
  readonly asked: AskedQuestions
  readonly grades: GradeStore
  /** Mentors with their graded questions. */
  readonly mentors: MentorSource
  /** Store of the same mentors, where they are kept here and can be changed. @default mentors are kept elsewhere */
  readonly store?: Pick<MentorStore, 'put' | 'readJson'>
  readonly readUpload: UploadReader
  readonly answering: Pick<QuestionAnswering, 'suggest'>
  readonly embeddings: Pick<EmbeddingCache, 'encode'>
}

/** Number of the latest recorded questions that are considered. */
const MAX_ASKINGS = 10_000
/** Maximum number of distinct questions to cluster: comparing this many pairwise takes about a second. */
const MAX_WAITING = 2000
/** Longer questions are not reviewed. */
const MAX_QUESTION_CHARACTERS = 2000
/** Maximum number of questions listed for a cluster; the others follow when these are judged. */
const MAX_LISTED = 50
/** Maximum number of tries to add an answer to a mentor that others change at the same time. */
const MAX_PUTS = 5

/** Shows people the questions that matched no stored phrase, and stores their decisions. */
export class ReviewQueue {
  readonly #dependencies: ReviewQueueDependencies

  constructor(dependencies: ReviewQueueDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Lists questions that wait for review: the classifier answered or refused them, nobody has judged them, and no
   * phrase of the mentor matches them now.
   * @param maxItems maximum number of clusters in the reply
   * @returns undefined when there is no such mentor
   * @throws {ServiceError} NOT_FOUND when the mentor has no model any more
   */
  async review(
    mentorId: string,
    maxItems: number,
    caller: CallerHeaders,
    signal: AbortSignal
  ): Promise<Review | undefined> {
    const { asked, grades, mentors, embeddings, answering } = this.#dependencies
    const found = await mentors.find(mentorId, { caller })
    if (found === undefined) return undefined
    const judged = new Set((await grades.gradesOf(mentorId)).map(({ question }) => sanitize(question)))
    const matches = new MatchIndex(repertoireOf(found.mentor), found.gradedQuestions)
    const askings = await asked.askedOf(mentorId, MAX_ASKINGS)
    const isWaiting = (text: string, question: string) =>
      text.trim() !== '' &&
      question.length <= MAX_QUESTION_CHARACTERS &&
      !judged.has(text) &&
      matches.find(question) === undefined
    const waiting = [...Map.groupBy(askings, ({ question }) => sanitize(question))]
      .filter(([text, [last]]) => last !== undefined && isWaiting(text, last.question))
      .slice(0, MAX_WAITING)
    const texts = waiting.map(([text]) => text)
    const questions = waiting.map(([, same]) => reviewQuestionOf(same))
    if (questions.length === 0) return { consideredCount: askings.length, waitingCount: 0, items: [] }
    const { values } = await embeddings.encode(texts, { signal })
    const rows = { values, dimensions: values.length / texts.length }
    const clusters = await clusterQuestions(questions, rows, maxItems, signal)
    const leaders = clusters.map(({ members }) => {
      const leader = members[0]!
      const embedding = values.subarray(leader * rows.dimensions, (leader + 1) * rows.dimensions)
      return { text: texts[leader]!, embedding }
    })
    const suggestions = await answering.suggest(mentorId, leaders, caller)
    return {
      consideredCount: askings.length,
      waitingCount: questions.length,
      items: clusters.map((cluster, index) => reviewItemOf(cluster, questions, suggestions[index]))
    }
  }

  /**
   * Grades questions to their right answer. They match it from now on, and the next training learns them.
   * @throws {ServiceError} NOT_FOUND when there is no such mentor, INVALID_REQUEST when the mentor has no such answer
   */
  async accept(mentorId: string, questions: readonly string[], answerId: string, reviewer: Reviewer): Promise<void> {
    const found = await this.#find(mentorId, reviewer.caller)
    assertGradable(questions)
    if (!repertoireOf(found.mentor).matchable.some(({ _id }) => _id === answerId)) {
      throw new ServiceError('INVALID_REQUEST', 'Cannot accept: the mentor has no such answer that questions match', {
        fields: { answerId: ['want an answer that counts, whose question is listed or orphaned'] }
      })
    }
    await this.#grade(mentorId, questions, answerId, reviewer)
  }

  /**
   * Grades questions as ones that the mentor should not answer. The classifier still decides when they are asked.
   * @throws {ServiceError} NOT_FOUND when there is no such mentor
   */
  async reject(mentorId: string, questions: readonly string[], reviewer: Reviewer): Promise<void> {
    await this.#find(mentorId, reviewer.caller)
    assertGradable(questions)
    await this.#grade(mentorId, questions, undefined, reviewer)
  }

  /**
   * Adds an answer to a mentor and grades the questions to it. An answer without text is INCOMPLETE and is used once it
   * is recorded. A repeated call adds nothing.
   * @returns id of the answer
   * @throws {ServiceError} NOT_FOUND when there is no such mentor; CONFLICT when the mentor is kept elsewhere or has
   *   another answer to this question
   */
  async addAnswer(
    mentorId: string,
    questions: readonly string[],
    added: NewAnswer,
    reviewer: Reviewer
  ): Promise<string> {
    const { store } = this.#dependencies
    await this.#find(mentorId, reviewer.caller)
    assertGradable([added.question, ...questions])
    if (store === undefined) {
      throw new ServiceError('CONFLICT', 'Cannot add an answer: the mentor is kept elsewhere, and changed there')
    }
    const answerId = await this.#putAnswer(store, mentorId, added, reviewer.by)
    await this.#grade(mentorId, [added.question, ...questions], answerId, reviewer)
    return answerId
  }

  async #find(mentorId: string, caller: CallerHeaders) {
    const found = await this.#dependencies.mentors.find(mentorId, { caller })
    if (found === undefined) {
      throw new ServiceError('NOT_FOUND', 'Cannot find this mentor: none of that id is stored')
    }
    return found
  }

  async #grade(
    mentorId: string,
    questions: readonly string[],
    answerId: string | undefined,
    { by }: Reviewer
  ): Promise<void> {
    const grades = questions.map((question) => ({ question, answerId }))
    await this.#dependencies.grades.grade(mentorId, grades, by)
  }

  async #putAnswer(
    store: NonNullable<ReviewQueueDependencies['store']>,
    mentorId: string,
    added: NewAnswer,
    by: string
  ): Promise<string> {
    for (let put = 0; put < MAX_PUTS; put += 1) {
      const before = await store.readJson(mentorId)
      if (before === undefined) throw new ServiceError('NOT_FOUND', 'Cannot add an answer: there is no such mentor')
      const mentor: Mentor = JSON.parse(new TextDecoder().decode(before.json))
      const same = mentor.answers?.find(({ question }) => sanitize(question.question) === sanitize(added.question))
      if (same !== undefined) {
        if (added.answer === undefined || same.transcript === added.answer) return same._id
        throw new ServiceError(
          'CONFLICT',
          'Cannot add an answer: the mentor already has another answer to this question'
        )
      }
      const answerId = randomUUID()
      const bytes = new TextEncoder().encode(JSON.stringify(withAnswer(mentor, answerId, added)))
      const { mentor: changed } = await this.#dependencies.readUpload({ format: 'json', bytes }, { callerKey: by })
      if (await store.put(mentorId, changed, before.revision)) return answerId
    }
    throw new ServiceError('CONFLICT', 'Cannot add an answer: others keep changing the mentor')
  }
}

function reviewQuestionOf(same: readonly AskedQuestion[]): ReviewQuestion {
  const last = same[0]!
  return { question: last.question, count: same.length, last }
}

function reviewItemOf(
  { members }: ReviewCluster,
  questions: readonly ReviewQuestion[],
  suggestion: Alternative | undefined
): ReviewItem {
  const all = members.map((index) => questions[index]!)
  return {
    questions: all.slice(0, MAX_LISTED),
    questionCount: all.length,
    count: all.reduce((sum, { count }) => sum + count, 0),
    suggestion
  }
}

/** A question that is empty when sanitized would match every other such question. */
function assertGradable(questions: readonly string[]): void {
  const empty = questions.findIndex((question) => sanitize(question).trim() === '')
  if (empty >= 0) {
    throw new ServiceError('INVALID_REQUEST', 'Cannot grade: a question has no letter or digit', {
      fields: { questions: ['want questions with a letter or digit, which is all that matching keeps'] }
    })
  }
}

function withAnswer(mentor: Mentor, answerId: string, { question, answer, topic }: NewAnswer): Mentor {
  const questionId = `q-${answerId}`
  return {
    ...mentor,
    questions: [
      ...(mentor.questions ?? []),
      { question: { _id: questionId }, topics: topic === undefined ? [] : [{ name: topic }] }
    ],
    answers: [
      ...(mentor.answers ?? []),
      {
        _id: answerId,
        status: answer === undefined ? 'INCOMPLETE' : 'COMPLETE',
        transcript: answer ?? '',
        question: { _id: questionId, question, type: 'QUESTION', paraphrases: [] }
      }
    ]
  }
}
