/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ask, askQuietly, send } from '../service/ask.ts'
import { withJson, type ServiceRequest } from '../service/service-request.ts'
import { showCall } from '../service/shown-call.ts'
import type { Media, Mentor, MentorLint, MentorListing, StoredMentor } from './mentor.ts'
import type { MentorEdit } from './mentor-edits.ts'

/** The address of a mentor. */
export function mentorPath(id: string): string {
  return `/mentors/${encodeURIComponent(id)}`
}

export async function listMentors(): Promise<readonly MentorListing[]> {
  return (await ask<{ data: MentorListing[] }>({ method: 'GET', path: '/mentors' })).data.data
}

export async function readMentor(id: string): Promise<Mentor> {
  return (await askQuietly<Mentor>({ method: 'GET', path: mentorPath(id) })).data
}

export async function readLint(id: string): Promise<MentorLint> {
  return (await askQuietly<{ data: MentorLint }>({ method: 'GET', path: `${mentorPath(id)}/lint` })).data.data
}

/** Stores a mentor: a table as CSV, or the whole as JSON. */
export async function storeMentor(id: string, body: string, contentType: string): Promise<StoredMentor> {
  return (await ask<{ data: StoredMentor }>({ method: 'PUT', path: mentorPath(id), body, contentType })).data.data
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

/** Where an answer came from. */
export type AnswerType = 'EXACT' | 'PARAPHRASE' | 'CLASSIFIER' | 'OFF_TOPIC'

export interface GivenAnswer {
  readonly question: string
  readonly answer_id: string
  readonly answer_text: string
  readonly answer_media: {
    readonly web_media?: Media | null
    readonly mobile_media?: Media | null
    readonly vtt_media?: Media | null
  }
  readonly answer_type: AnswerType
  readonly answer_missing: boolean
  readonly confidence: number
  readonly classifier: string
  readonly alternatives?: readonly {
    readonly answer_id: string
    readonly question: string
    readonly confidence: number
  }[]
  readonly explanation?: {
    readonly topic_score: number
    readonly match: number
    readonly threshold: number
    readonly similarity: number
    readonly character_similarity: number
    readonly nearest_phrases: readonly {
      readonly phrase: string
      /** Null of a phrase that was taught as off topic. */
      readonly answer_id: string | null
      readonly similarity: number
      readonly character_similarity: number
    }[]
  } | null
}

/** Asks a mentor, with what the answer is made of. */
export async function askMentor(id: string, query: string): Promise<{ answer: GivenAnswer; durationMs: number }> {
  const path = `/questions?${new URLSearchParams({ mentor: id, query, explain: 'true', top_k: '5' }).toString()}`
  const { data, durationMs } = await ask<GivenAnswer>({ method: 'GET', path })
  return { answer: data, durationMs }
}

export interface ReviewCluster {
  readonly question: string
  readonly count: number
  readonly questionCount: number
  readonly questions: readonly {
    readonly question: string
    readonly count: number
    readonly answer_type: AnswerType
    readonly confidence: number
  }[]
  readonly suggestion: { readonly answer_id: string; readonly question: string; readonly confidence: number } | null
}

export interface ReviewQueue {
  readonly considered: number
  readonly waiting: number
  readonly clusters: readonly ReviewCluster[]
}

export async function readReview(id: string): Promise<ReviewQueue> {
  return (await ask<{ data: ReviewQueue }>({ method: 'GET', path: `${mentorPath(id)}/review` })).data.data
}

/** A person's decision on questions. */
export type ReviewDecision =
  | { readonly decision: 'accept'; readonly questions: readonly string[]; readonly answerId: string }
  | { readonly decision: 'reject'; readonly questions: readonly string[] }
  | { readonly decision: 'new_answer'; readonly questions: readonly string[]; readonly answer?: string }

/** A question that a decision has changed the answer of. */
export interface ChangedAnswer {
  readonly question: string
  readonly before: AnswerPreview
  readonly after: AnswerPreview
}

interface AnswerPreview {
  readonly answer_id: string
  readonly answer_type: AnswerType
  readonly confidence: number
}

/** Decides on questions. @returns those that are answered otherwise now */
export async function judge(id: string, decision: ReviewDecision): Promise<readonly ChangedAnswer[]> {
  const request = withJson('POST', `${mentorPath(id)}/review`, decision)
  return (await ask<{ data: { changed: ChangedAnswer[] } }>(request)).data.data.changed
}
