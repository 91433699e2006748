/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static, type TSchema } from 'typebox'

/** A member that may be missing: GraphQL sends null for it, files leave it out. */
const orAbsent = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

export const Media = Type.Object({
  type: orAbsent(Type.String()),
  tag: orAbsent(Type.String()),
  url: orAbsent(Type.String()),
  transparentVideoUrl: orAbsent(Type.String())
})
export type Media = Static<typeof Media>

export const MentorAnswer = Type.Object({
  _id: Type.String({ minLength: 1 }),
  status: orAbsent(Type.String()),
  transcript: orAbsent(Type.String()),
  markdownTranscript: orAbsent(Type.String()),
  question: Type.Object({
    _id: Type.String({ minLength: 1 }),
    question: Type.String(),
    type: orAbsent(Type.String()),
    name: orAbsent(Type.String()),
    paraphrases: orAbsent(Type.Array(Type.String()))
  }),
  webMedia: orAbsent(Media),
  mobileMedia: orAbsent(Media),
  vttMedia: orAbsent(Media),
  externalVideoIds: orAbsent(Type.Object({ wistiaId: orAbsent(Type.String()) }))
})
export type MentorAnswer = Static<typeof MentorAnswer>

const Named = Type.Object({ name: Type.String() })

/** A question that a mentor lists as its own. */
export const ListedQuestion = Type.Object({
  question: Type.Object({ _id: Type.String() }),
  topics: orAbsent(Type.Array(Named))
})
export type ListedQuestion = Static<typeof ListedQuestion>

/** A recorded person who answers questions, as `mentor(id: ID!)` of the GraphQL service returns it. */
export const Mentor = Type.Object({
  name: orAbsent(Type.String()),
  mentorType: orAbsent(Type.String()),
  subjects: orAbsent(Type.Array(Named)),
  topics: orAbsent(Type.Array(Named)),
  questions: orAbsent(Type.Array(ListedQuestion)),
  answers: orAbsent(Type.Array(MentorAnswer)),
  orphanedCompleteAnswers: orAbsent(Type.Array(MentorAnswer))
})
export type Mentor = Static<typeof Mentor>

/** Name of the utterances that answer off-topic questions. */
export const OFF_TOPIC_UTTERANCE = '_OFF_TOPIC_'
const IDLE_UTTERANCE = '_IDLE_'

/** Answers and utterances of a mentor. */
export interface Repertoire {
  /** Answers to train on, each id once, those of `answers` before the orphaned ones. */
  readonly answers: readonly MentorAnswer[]
  /** The orphaned ones among them, and those whose question the mentor lists: a question may match these word for word. */
  readonly matchable: readonly MentorAnswer[]
  /** By name: `_OFF_TOPIC_`, `_IDLE_`, ... */
  readonly utterances: ReadonlyMap<string, readonly MentorAnswer[]>
  /** Answers that are left out because another has their id; not those that are the same in all. */
  readonly repeated: readonly MentorAnswer[]
}

/**
 * Sorts a mentor's answers into those to train on, those to match and utterances; leaves out answers that do not count.
 */
export function repertoireOf(mentor: Mentor): Repertoire {
  const listed = new Set(mentor.questions?.map((entry) => entry.question._id))
  const answers: MentorAnswer[] = []
  const matchable: MentorAnswer[] = []
  const utterances = new Map<string, MentorAnswer[]>()
  const repeated: MentorAnswer[] = []
  const seen = new Map<string, MentorAnswer>()
  const sortIn = (answer: MentorAnswer, isOrphaned: boolean) => {
    if (!countsAsAnswer(answer, mentor.mentorType)) return
    const first = seen.get(answer._id)
    if (first !== undefined) {
      if (JSON.stringify(first) !== JSON.stringify(answer)) repeated.push(answer)
      return
    }
    seen.set(answer._id, answer)
    if (answer.question.type === 'UTTERANCE') {
      const name = answer.question.name ?? ''
      utterances.set(name, [...(utterances.get(name) ?? []), answer])
      return
    }
    answers.push(answer)
    if (isOrphaned || listed.has(answer.question._id)) matchable.push(answer)
  }
  for (const answer of mentor.answers ?? []) sortIn(answer, false)
  for (const answer of mentor.orphanedCompleteAnswers ?? []) sortIn(answer, true)
  return { answers, matchable, utterances, repeated }
}

/**
 * Whether an answer counts, which means that it can be given. INCOMPLETE and SKIP never do; NONE, which nobody has
 * judged yet, does when it has all that its kind of mentor needs: a VIDEO mentor both videos and a transcript (`_IDLE_`
 * has nothing to transcribe), a CHAT mentor a transcript.
 */
export function countsAsAnswer(answer: MentorAnswer, mentorType: string | null | undefined): boolean {
  if (answer.status === 'INCOMPLETE' || answer.status === 'SKIP') return false
  if (answer.status !== 'NONE') return true
  const hasTranscript = isFilled(answer.transcript)
  if (mentorType === 'CHAT') return hasTranscript
  if (mentorType !== 'VIDEO') return false
  const hasWords = hasTranscript || answer.question.name === IDLE_UTTERANCE
  return hasWords && isFilled(answer.webMedia?.url) && isFilled(answer.mobileMedia?.url)
}

function isFilled(text: string | null | undefined): boolean {
  return text !== undefined && text !== null && text.trim() !== ''
}
