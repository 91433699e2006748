/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type {
  MentorLint as LintReply,
  MentorList,
  StoredReply
} from '../../../src/server/routes/mentors/mentor-replies.ts'
import type { QuestionReply } from '../../../src/server/routes/questions/question-reply.ts'
import type { DecisionReply, ReviewReply } from '../../../src/server/routes/review/review-replies.ts'
import { ask, askQuietly, send } from '../service/ask.ts'
import { withJson, type ServiceRequest } from '../service/service-request.ts'
import { showCall } from '../service/shown-call.ts'
import type { Mentor, MentorLint, MentorListing, StoredMentor } from './mentor.ts'
import type { MentorEdit } from './mentor-edits.ts'

/** The address of a mentor. */
export function mentorPath(id: string): string {
  return `/mentors/${encodeURIComponent(id)}`
}

export async function listMentors(): Promise<readonly MentorListing[]> {
  return (await ask<MentorList>({ method: 'GET', path: '/mentors' })).data.data
}

export async function readMentor(id: string): Promise<Mentor> {
  return (await askQuietly<Mentor>({ method: 'GET', path: mentorPath(id) })).data
}

export async function readLint(id: string): Promise<MentorLint> {
  return (await askQuietly<LintReply>({ method: 'GET', path: `${mentorPath(id)}/lint` })).data.data
}

/** Stores a mentor: a table as CSV, or the whole as JSON. */
export async function storeMentor(id: string, body: string, contentType: string): Promise<StoredMentor> {
  return (await ask<StoredReply>({ method: 'PUT', path: mentorPath(id), body, contentType })).data.data
}

/** Changes a mentor as it is now. */
export async function editMentor(id: string, edit: MentorEdit): Promise<StoredMentor> {
  return storeMentor(id, JSON.stringify(edit(await readMentor(id))), 'application/json')
}

export async function deleteMentor(id: string): Promise<void> {
  await send({ method: 'DELETE', path: mentorPath(id) })
}

/** The mentor's table. */
export async function exportTable(id: string): Promise<string> {
  const request: ServiceRequest = { method: 'GET', path: `/trainingdata/${encodeURIComponent(id)}` }
  showCall(request)
  return (await send(request)).text()
}

/** A mentor's answer to a question. */
export type GivenAnswer = QuestionReply

/** Where an answer came from. */
export type AnswerType = GivenAnswer['answer_type']

/** Asks a mentor, with what the answer is made of. */
export async function askMentor(id: string, query: string): Promise<{ answer: GivenAnswer; durationMs: number }> {
  const path = `/questions?${new URLSearchParams({ mentor: id, query, explain: 'true', top_k: '5' }).toString()}`
  const { data, durationMs } = await ask<GivenAnswer>({ method: 'GET', path })
  return { answer: data, durationMs }
}

export type ReviewQueue = ReviewReply['data']
export type ReviewCluster = ReviewQueue['clusters'][number]

export async function readReview(id: string): Promise<ReviewQueue> {
  return (await ask<ReviewReply>({ method: 'GET', path: `${mentorPath(id)}/review` })).data.data
}

/** A person's decision on questions. */
export type ReviewDecision =
  | { readonly decision: 'accept'; readonly questions: readonly string[]; readonly answerId: string }
  | { readonly decision: 'reject'; readonly questions: readonly string[] }
  | { readonly decision: 'new_answer'; readonly questions: readonly string[]; readonly answer?: string }

/** A question whose answer a decision has changed. */
export type ChangedAnswer = DecisionReply['data']['changed'][number]

/** Decides on questions. @returns those that are answered otherwise now */
export async function judge(id: string, decision: ReviewDecision): Promise<readonly ChangedAnswer[]> {
  const request = withJson('POST', `${mentorPath(id)}/review`, decision)
  return (await ask<DecisionReply>(request)).data.data.changed
}
