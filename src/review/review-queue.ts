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

/** Questions that mean about the same, for a person to judge. */
export interface ReviewItem {
  /** The one that the others are near to first, then the nearest. */
  readonly questions: readonly ReviewQuestion[]
  /** Questions of the cluster, also those that are not listed. */
  readonly questionCount: number
  /** How often they were asked, all together. */
  readonly count: number
  /** The answer that the live version gives the first of them; undefined when it has none that is likely. */
  readonly suggestion: Alternative | undefined
}

/** A review of a mentor. */
export interface Review {
  /** Askings that were looked at. */
  readonly consideredCount: number
  /** Different questions among them that wait for a judgement. */
  readonly waitingCount: number
  /** Those first where a judgement tells most. */
  readonly items: readonly ReviewItem[]
}

/** An answer that a mentor has not given yet. */
export interface NewAnswer {
  /** The question that it is the answer to. */
  readonly question: string
  /** What the mentor says; undefined when that is still to be recorded. */
  readonly answer: string | undefined
  readonly topic: string | undefined
}

/** Who decides. */
export interface Reviewer {
  /** For the record. */
  readonly by: string
  readonly caller: CallerHeaders
}

/** Dependencies of a {@link ReviewQueue}. */
export interface ReviewQueueDependencies {
  readonly asked: AskedQuestions
  readonly grades: GradeStore
  /** With their graded questions. */
  readonly mentors: MentorSource
  /** The same mentors, when they are kept here and can be changed. @default they are kept elsewhere */
  readonly store?: Pick<MentorStore, 'put' | 'readJson'>
  readonly readUpload: UploadReader
  readonly answering: Pick<QuestionAnswering, 'suggest'>
  readonly embeddings: Pick<EmbeddingCache, 'encode'>
}

/** The latest askings that are looked at. */
const MAX_ASKINGS = 10_000
/** Different questions that are put into clusters: so many are compared with each other in about a second. */
const MAX_WAITING = 2000
/** Longer questions are not reviewed. */
const MAX_QUESTION_CHARACTERS = 2000
/** Questions listed of a cluster; the others come when these are judged. */
const MAX_LISTED = 50
/** Times that a new answer is put into a mentor who is changed by someone else at the same moment. */
const MAX_PUTS = 5

/** Shows people the questions that matched no stored phrase, and stores their decisions. */
export class ReviewQueue {
  readonly #dependencies: ReviewQueueDependencies

  constructor(dependencies: ReviewQueueDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * What waits for a judgement: questions that the classifier answered or refused, that nobody has judged and that no phrase
   * of the mentor matches by now.
   * @param maxItems clusters of the reply
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
   * Names the right answer of questions. They match from now on, and are learned by the next training.
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
   * Sets questions aside, as none that the mentor should answer. The classifier goes on to judge them.
   * @throws {ServiceError} NOT_FOUND when there is no such mentor
   */
  async reject(mentorId: string, questions: readonly string[], reviewer: Reviewer): Promise<void> {
    await this.#find(mentorId, reviewer.caller)
    assertGradable(questions)
    await this.#grade(mentorId, questions, undefined, reviewer)
  }

  /**
   * Adds an answer to a mentor and grades the questions to it. Without text it is INCOMPLETE and counts once it is recorded.
   * Asked for twice it is added once.
   * @returns id of the answer
   * @throws {ServiceError} NOT_FOUND when there is no such mentor; CONFLICT when it is kept elsewhere, or answers this very
   *   question in another way
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
        throw new ServiceError('CONFLICT', 'Cannot add an answer: the mentor has another one to this very question')
      }
      const answerId = randomUUID()
      const bytes = new TextEncoder().encode(JSON.stringify(withAnswer(mentor, answerId, added)))
      const { mentor: changed } = await this.#dependencies.readUpload({ format: 'json', bytes }, { callerKey: by })
      if (await store.put(mentorId, changed, before.revision)) return answerId
    }
    throw new ServiceError('CONFLICT', 'Cannot add an answer: others change the mentor all the time')
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

/** What is nothing when sanitized would match all else that is. */
function assertGradable(questions: readonly string[]): void {
  const empty = questions.findIndex((question) => sanitize(question).trim() === '')
  if (empty >= 0) {
    throw new ServiceError('INVALID_REQUEST', 'Cannot grade: a question has no ASCII letter or digit', {
      fields: { questions: ['want questions with an ASCII letter or digit, which is all that matching keeps'] }
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
