/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Mentor, MentorAnswer } from './mentor.ts'

/** A change of a mentor's data. */
export type MentorEdit = (mentor: Mentor) => Mentor

const LETTER_OF_OTHER_SCRIPT = /[\p{L}--\p{Script=Latin}--\p{Script=Common}--\p{Script=Inherited}]/v

/** A phrase as the service compares it, but for a few rare letters: what it does is in src/mentor/sanitize.ts. */
function sanitize(phrase: string): string {
  const dropped = LETTER_OF_OTHER_SCRIPT.test(phrase)
    ? /[^\p{L}\p{Mn}\p{Mc}\p{N}\s]|\p{Variation_Selector}/gu
    : /[^a-z0-9\s]/g
  return phrase.trim().toLowerCase().replaceAll('\u00a0', ' ').replaceAll(dropped, '').normalize('NFC')
}

function editAnswers(mentor: Mentor, edit: (answer: MentorAnswer) => MentorAnswer): Mentor {
  return { ...mentor, answers: (mentor.answers ?? []).map(edit) }
}

/**
 * Leaves a phrase to one of the answers that have it. From the others it is taken; where it is the question itself, the first
 * other paraphrase takes the question's place, and with none of them the question stays.
 */
export function leavePhraseTo(phrase: string, keeperId: string): MentorEdit {
  const isSame = (other: string): boolean => sanitize(other) === sanitize(phrase)
  return (mentor) =>
    editAnswers(mentor, (answer) => {
      if (answer._id === keeperId) return answer
      const others = (answer.question.paraphrases ?? []).filter((paraphrase) => !isSame(paraphrase))
      const [first] = others
      const isQuestion = isSame(answer.question.question)
      const question = isQuestion && first !== undefined ? first : answer.question.question
      const paraphrases = isQuestion && first !== undefined ? others.slice(1) : others
      return { ...answer, question: { ...answer.question, question, paraphrases: [...paraphrases] } }
    })
}

/** Takes an answer out, with its question. */
export function removeAnswer(answerId: string): MentorEdit {
  return (mentor) => {
    const removed = mentor.answers?.find(({ _id }) => _id === answerId)
    const answers = (mentor.answers ?? []).filter(({ _id }) => _id !== answerId)
    const isStillAnswered = answers.some(({ question }) => question._id === removed?.question._id)
    const questions = (mentor.questions ?? []).filter(
      ({ question }) => isStillAnswered || question._id !== removed?.question._id
    )
    return { ...mentor, answers, questions }
  }
}

/** What of an answer can be changed here. */
export interface AnswerTexts {
  readonly question: string
  readonly paraphrases: readonly string[]
  readonly answer: string
}

/** Changes an answer's texts. Rich text, which would say something else than a changed answer, is dropped. */
export function changeAnswer(answerId: string, { question, paraphrases, answer: transcript }: AnswerTexts): MentorEdit {
  return (mentor) =>
    editAnswers(mentor, (answer) => {
      if (answer._id !== answerId) return answer
      const changed = {
        ...answer,
        transcript,
        question: { ...answer.question, question, paraphrases: [...paraphrases] }
      }
      return transcript === answer.transcript ? changed : { ...changed, markdownTranscript: null }
    })
}

/** Adds an answer. @param id of the answer; its question gets one made of it */
export function addAnswer(id: string, { question, paraphrases, answer }: AnswerTexts): MentorEdit {
  const questionId = `q-${id}`
  return (mentor) => ({
    ...mentor,
    questions: [...(mentor.questions ?? []), { question: { _id: questionId }, topics: [] }],
    answers: [
      ...(mentor.answers ?? []),
      {
        _id: id,
        status: 'COMPLETE',
        transcript: answer,
        question: { _id: questionId, question, paraphrases: [...paraphrases] }
      }
    ]
  })
}

/** Adds what the mentor says to questions that it has no answer to. */
export function addOffTopicUtterance(id: string, text: string): MentorEdit {
  return (mentor) => ({
    ...mentor,
    answers: [
      ...(mentor.answers ?? []),
      {
        _id: id,
        status: 'COMPLETE',
        transcript: text,
        question: { _id: `q-${id}`, question: '_OFF_TOPIC_', type: 'UTTERANCE', name: '_OFF_TOPIC_', paraphrases: [] }
      }
    ]
  })
}
