/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import { rowOf, type Encoder, type EncodeOptions, type EncodeTimings } from '../embedding/encoder.ts'
import { nextTurn } from '../embedding/similarity.ts'
import { ServiceError } from '../errors.ts'
import { inSpan } from '../tracing/span.ts'
import { MatchIndex } from '../mentor/match-index.ts'
import { repertoireOf, type MentorAnswer, type Repertoire } from '../mentor/mentor.ts'
import type { CallerHeaders, MentorSource } from '../mentor/mentor-source.ts'
import { sanitizeKeepingAccents } from '../mentor/sanitize.ts'
import type { TestQuestion } from '../mentor/training-data.ts'
import { answerQuestion, type Alternative, type AnswerReply, type AnswerType, type WantedBeside } from './answer.ts'
import type { AnswerRecorder } from './answer-record.ts'
import type { Architecture, ClassifierModel } from '../learning/classifier-model.ts'
import { evaluate, type JudgedQuestion } from '../learning/evaluation.ts'
import { modelKey, type LoadedModels } from '../versions/loaded-models.ts'
import { mentorModelName } from '../versions/model-name.ts'
import type { ModelStore } from '../versions/model-store.ts'
import type { PredictionObserver } from '../versions/prediction-observer.ts'
import { readTrainingBins } from '../versions/version-report.ts'
import { nameReport, type NamedReport } from '../learning/named-report.ts'

/** A question to a mentor. */
export interface MentorQuestion extends WantedBeside {
  readonly mentorId: string
  readonly question: string
  readonly chatSessionId: string | undefined
  /** @default no caller */
  readonly caller?: CallerHeaders
}

/** An answer with the version that gave it and its timings. */
export interface GivenAnswer {
  readonly reply: AnswerReply
  readonly feedbackId: string
  readonly architecture: Architecture
  readonly version: number
  /** Undefined when nothing had to be encoded. */
  readonly timings: EncodeTimings | undefined
}

/** Dependencies of a {@link QuestionAnswering}. */
export interface QuestionAnsweringDependencies {
  readonly mentors: MentorSource
  readonly models: Pick<ModelStore, 'liveVersion' | 'report'>
  readonly loadedModels: LoadedModels
  readonly encoder: Encoder
  readonly recorder: AnswerRecorder
  /** Observes the classifiers' predictions. @default none */
  readonly observer?: PredictionObserver
  /** Maximum memory of the cache of mentors, in bytes; the least recently used are evicted first. */
  readonly maxMentorBytes: number
}

/** Data that is computed once for all questions to a mentor. */
interface PreparedMentor {
  readonly revision: string
  readonly repertoire: Repertoire
  readonly answersById: ReadonlyMap<string, MentorAnswer>
  readonly matchIndex: MatchIndex
  readonly byteLength: number
}

/** Probability above which an answer is suggested to a reviewer although the question seems off topic. */
const LIKELY_CONFIDENCE = 0.3

/** Maximum number of mentors whose last version is remembered. */
const MAX_SEEN_VERSIONS = 10_000
/** Number of ranked classes in the judgement of a test question. */
const RANKED_CLASSES = 5
/** Number of test questions between two yields to other work. */
const QUESTIONS_A_TURN = 64

/**
 * Answers questions by each mentor's current answers and live version. Both are looked up for each question, which
 * takes some microseconds, so that changes by other processes take effect at once; the data derived from them is
 * cached.
 */
export class QuestionAnswering {
  readonly #dependencies: QuestionAnsweringDependencies
  readonly #prepared: LRUCache<string, PreparedMentor>
  /** The live version at each mentor's last question. */
  readonly #seenVersions = new LRUCache<string, number>({ max: MAX_SEEN_VERSIONS })

  constructor(dependencies: QuestionAnsweringDependencies) {
    this.#dependencies = dependencies
    this.#prepared = new LRUCache({
      maxSize: dependencies.maxMentorBytes,
      sizeCalculation: ({ byteLength }) => byteLength
    })
  }

  /**
   * Answers a question and records it.
   * @throws {ServiceError} NOT_FOUND when the mentor has no model; what the encoder throws
   */
  async answer(asked: MentorQuestion, options: EncodeOptions): Promise<GivenAnswer> {
    return inSpan('answer', {}, async (span) => {
      const answer = await this.#answer(asked, options)
      const { reply, architecture, version } = answer
      span?.set({
        'sbert.answer_type': reply.answerType,
        'sbert.architecture': architecture,
        'sbert.model_version': version
      })
      return answer
    })
  }

  async #answer(asked: MentorQuestion, options: EncodeOptions): Promise<GivenAnswer> {
    const { encoder, models, observer, recorder } = this.#dependencies
    const { mentorId, question, chatSessionId, caller = {} } = asked
    const { mentor, model, version } = await this.#open(mentorId, caller)
    let timings: EncodeTimings | undefined
    const embed = async (text: string) => {
      const embeddings = await encoder.encode([text], options)
      timings = embeddings.timings
      return rowOf(embeddings, 0)
    }
    const reply = await answerQuestion(question, { ...mentor, model, embed }, asked)
    const { answerId, answerType, confidence, classifierAnswerId, margin } = reply
    // The confidence of a match or of a missing answer is not the classifier's.
    if (
      observer !== undefined &&
      classifierAnswerId !== undefined &&
      !reply.answerMissing &&
      isClassified(answerType)
    ) {
      const name = mentorModelName(mentorId)
      const prediction = { inputCharacters: question.length, classId: classifierAnswerId, confidence }
      observer.predicted({ name, version }, [prediction], async () => readTrainingBins(models, name, version))
    }
    const record = { mentorId, question, answerId, answerType, confidence, margin, chatSessionId }
    const feedbackId = await recorder.record(record, caller)
    return { reply, feedbackId, architecture: model.architecture, version, timings }
  }

  /**
   * Answers questions without recording them; of several utterances it takes the first.
   * @returns undefined when the mentor has no model
   * @throws what the encoder throws
   */
  async preview(
    mentorId: string,
    questions: readonly string[],
    options: EncodeOptions,
    caller: CallerHeaders
  ): Promise<AnswerReply[] | undefined> {
    if ((await this.#dependencies.models.liveVersion(mentorModelName(mentorId))) === undefined) return undefined
    const { mentor, model } = await this.#open(mentorId, caller)
    const embeddings = await this.#dependencies.encoder.encode(questions, { ...options, lane: 'bulk' })
    return await Promise.all(
      questions.map(async (question, i) =>
        answerQuestion(question, { ...mentor, model, embed: async () => rowOf(embeddings, i), random: () => 0 })
      )
    )
  }

  /**
   * Prepares for a mentor's first question.
   * @throws {ServiceError} NOT_FOUND when the mentor has no model
   */
  async load(mentorId: string, caller: CallerHeaders): Promise<void> {
    await this.#open(mentorId, caller)
  }

  /**
   * Suggests the live version's answers to questions. A suggestion is undefined where the mentor no longer has the
   * answer, or the version would refuse the question and the probability of its best answer is below {@link
   * LIKELY_CONFIDENCE}.
   * @param questions sanitized, with their embeddings
   * @throws {ServiceError} NOT_FOUND when the mentor has no model
   */
  async suggest(
    mentorId: string,
    questions: readonly { readonly text: string; readonly embedding: Float32Array }[],
    caller: CallerHeaders
  ): Promise<(Alternative | undefined)[]> {
    const { mentor, model } = await this.#open(mentorId, caller)
    return questions.map(({ text, embedding }) => {
      const { classId, confidence, isOffTopic } = model.predict(embedding, 1, { text })
      const answer = mentor.answersById.get(classId)
      const isLikely = !isOffTopic || (model.architecture === 'softmax' && confidence >= LIKELY_CONFIDENCE)
      if (answer === undefined || !isLikely) return undefined
      return { answerId: classId, questionId: answer.question._id, question: answer.question.question, confidence }
    })
  }

  /**
   * Evaluates the live version on questions with known answers. Only the classifier answers: phrases of the mentor
   * itself are not matched, since they would test nothing.
   * @throws {ServiceError} NOT_FOUND when the mentor has no model; INVALID_REQUEST when it never learned one of the answers
   */
  async evaluate(
    mentorId: string,
    questions: readonly TestQuestion[],
    options: EncodeOptions,
    caller: CallerHeaders
  ): Promise<NamedReport> {
    const { model } = await this.#open(mentorId, caller)
    const classOf = new Map(model.classIds.map((classId, k) => [classId, k]))
    const unknown = questions.findIndex(({ answerId }) => answerId !== undefined && !classOf.has(answerId))
    if (unknown >= 0) {
      throw new ServiceError(
        'INVALID_REQUEST',
        `Cannot judge question ${unknown + 1}: its answer is none of those that the version was trained on`
      )
    }
    const judged: JudgedQuestion[] = []
    for (let from = 0; from < questions.length; from += QUESTIONS_A_TURN) {
      const some = questions.slice(from, from + QUESTIONS_A_TURN)
      const texts = some.map(({ question }) => question)
      const embeddings = await this.#dependencies.encoder.encode(texts, { ...options, lane: 'bulk' })
      for (const [index, { answerId }] of some.entries()) {
        const text = sanitizeKeepingAccents(texts[index]!)
        const prediction = model.predict(rowOf(embeddings, index), RANKED_CLASSES, { text })
        judged.push({
          question: from + index,
          label: answerId === undefined ? undefined : classOf.get(answerId)!,
          ranked: prediction.ranked.map(({ classId, confidence }) => ({ class: classOf.get(classId)!, confidence })),
          topicScore: prediction.topicScore,
          isOffTopic: prediction.isOffTopic
        })
      }
      await nextTurn(options.signal)
    }
    const report = evaluate(judged, model.architecture === 'softmax')
    return nameReport(
      report,
      model.classIds,
      questions.map(({ question }) => question)
    )
  }

  async #open(
    mentorId: string,
    caller: CallerHeaders
  ): Promise<{ mentor: PreparedMentor; model: ClassifierModel; version: number }> {
    const { models, loadedModels, encoder } = this.#dependencies
    const name = mentorModelName(mentorId)
    const version = await models.liveVersion(name)
    const mentor = version === undefined ? undefined : await this.#prepare(mentorId, version, caller)
    const model = version === undefined ? undefined : await loadedModels.get(modelKey(name, version))
    if (mentor === undefined || version === undefined || model === undefined) {
      throw new ServiceError('NOT_FOUND', `No models found for mentor ${mentorId}.`)
    }
    if (model.encoderRevision !== encoder.revision) {
      throw new ServiceError(
        'NOT_FOUND',
        `No models found for mentor ${mentorId}. The live one was trained with another encoder: train again`
      )
    }
    return { mentor, model, version }
  }

  async #prepare(mentorId: string, version: number, caller: CallerHeaders): Promise<PreparedMentor | undefined> {
    // A version that is new to this process may know answers that the cached mentor lacks.
    const freshness = this.#seenVersions.get(mentorId) === version ? 'any' : 'preferred'
    const revision = await this.#dependencies.mentors.revisionOf(mentorId, { caller, freshness })
    this.#seenVersions.set(mentorId, version)
    const known = this.#prepared.get(mentorId)
    if (revision !== undefined && known?.revision === revision) return known
    const found = await this.#dependencies.mentors.find(mentorId, { caller })
    if (found === undefined) {
      this.#prepared.delete(mentorId)
      return undefined
    }
    const repertoire = repertoireOf(found.mentor)
    const prepared = {
      revision: found.revision,
      repertoire,
      answersById: new Map(repertoire.answers.map((answer) => [answer._id, answer])),
      matchIndex: new MatchIndex(repertoire, found.gradedQuestions, found.rejectedQuestions),
      byteLength: Math.max(1, found.byteLength)
    }
    this.#prepared.set(mentorId, prepared)
    return prepared
  }
}

function isClassified(type: AnswerType): boolean {
  return type === 'CLASSIFIER' || type === 'OFF_TOPIC'
}
