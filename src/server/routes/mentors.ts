/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import { lintRepertoire } from '../../mentor/lint.ts'
import { Mentor, repertoireOf } from '../../mentor/mentor.ts'
import type { FoundMentor, MentorSource, MentorStore } from '../../mentor/mentor-source.ts'
import {
  readTrainingData,
  trainingDataOf,
  withTrainingData,
  writeTrainingData,
  type LineProblem
} from '../../mentor/training-data.ts'
import { assertMayRead, callerHeadersOf, callerOf, mayRead } from '../auth.ts'
import { ERROR_REPLIES } from '../encode-reply.ts'

/** What the mentor routes are made of. */
export interface MentorRouteParts {
  readonly mentors: MentorStore
  /** Forgets what was made of a mentor that is no more: models, records of questions. */
  readonly forget: (mentorId: string) => Promise<void>
  readonly mentorBodyLimitBytes: number
}

/** A mentor's id, in an address or elsewhere. */
export const MentorId = Type.String({ minLength: 1, maxLength: 200, description: 'Id of the mentor.' })
/** Parameters of an address with a mentor. */
export const MentorParams = Type.Object({ mentor: MentorId })
/** Errors of routes of one mentor, for the docs. */
export const MENTOR_ERROR_REPLIES = {
  ...ERROR_REPLIES,
  403: { $ref: 'ErrorReply#' },
  404: { $ref: 'ErrorReply#' }
} as const

/** Something in the data that will make answers worse, as `kind` names it; what else it says depends on the kind. */
const Finding = Type.Object({ kind: Type.String() }, { additionalProperties: true })
const StoredReply = Type.Object({
  data: Type.Object({
    mentor: Type.String(),
    revision: Type.String({ description: 'Changes with the content.' }),
    answerCount: Type.Integer({ description: 'Answers that count, utterances aside.' }),
    utteranceCount: Type.Integer(),
    phraseCount: Type.Integer({ description: 'Questions and paraphrases of these answers.' }),
    problems: Type.Array(Type.Object({ line: Type.Integer(), message: Type.String() }), {
      description: 'Lines of the CSV that were left out, and why.'
    }),
    lint: Type.Array(Finding)
  })
})
const MentorList = Type.Object({
  data: Type.Array(
    Type.Object({
      mentor: Type.String(),
      name: Type.Optional(Type.String()),
      answerCount: Type.Integer(),
      revision: Type.String(),
      updated: Type.String({ format: 'date-time' })
    })
  )
})

/** `/mentors` and `/trainingdata`: what mentors say. */
export const mentorRoutes: FastifyPluginAsyncTypebox<MentorRouteParts> = async (app, parts) => {
  const { mentors } = parts
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body)
  })

  app.put(
    '/mentors/:mentor',
    {
      bodyLimit: parts.mentorBodyLimitBytes,
      schema: {
        summary: 'Store a mentor',
        description:
          'Whole, as JSON, or as CSV `id,question,paraphrases,answer,topic` (paraphrases and topics joined by `|`). ' +
          'CSV keeps what a table does not tell of answers that the mentor has already, such as their videos.',
        tags: ['mentors'],
        params: MentorParams,
        body: {
          content: {
            'application/json': { schema: Mentor },
            'text/csv': { schema: Type.String() }
          }
        },
        response: { 200: StoredReply, ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request) => {
      const id = request.params.mentor
      assertMayRead(callerOf(request), id)
      const body: unknown = request.body
      if (typeof body === 'string') {
        const { rows, problems } = readTrainingData(body)
        return storedReply(id, await mentors.update(id, (before) => withTrainingData(before, rows)), problems)
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON was validated against this schema
      const mentor = body as Mentor
      return storedReply(id, await mentors.update(id, () => mentor), [])
    }
  )

  app.get(
    '/mentors',
    { schema: { summary: 'All mentors', tags: ['mentors'], response: { 200: MentorList, ...ERROR_REPLIES } } },
    async (request) => {
      const caller = callerOf(request)
      const entries = (await mentors.list()).filter((entry) => mayRead(caller, entry.id))
      return {
        data: entries.map(({ id, name, answerCount, revision, updatedAtMs }) => ({
          mentor: id,
          ...(name !== undefined && { name }),
          answerCount,
          revision,
          updated: new Date(updatedAtMs).toISOString()
        }))
      }
    }
  )

  app.get(
    '/mentors/:mentor',
    {
      schema: {
        summary: 'A mentor, whole',
        tags: ['mentors'],
        params: MentorParams,
        response: {
          200: { description: 'The mentor, as stored.', content: { 'application/json': { schema: Mentor } } },
          ...MENTOR_ERROR_REPLIES
        }
      }
    },
    async (request, reply) => {
      const { mentor } = await findMentor(mentors, request.params.mentor, request)
      return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(mentor))
    }
  )

  app.delete(
    '/mentors/:mentor',
    {
      schema: {
        summary: 'Delete a mentor, its models and the questions asked',
        tags: ['mentors'],
        params: MentorParams,
        response: { 204: Type.Null(), ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const id = request.params.mentor
      assertMayRead(callerOf(request), id)
      const wasThere = await mentors.delete(id)
      await parts.forget(id)
      if (!wasThere) throw unknownMentor()
      return reply.code(204).send(null)
    }
  )

  app.get(
    '/trainingdata/:mentor',
    {
      schema: {
        summary: 'Training data of a mentor, as CSV',
        tags: ['mentors'],
        params: MentorParams,
        response: {
          200: { description: 'The table.', content: { 'text/csv': { schema: Type.String() } } },
          ...MENTOR_ERROR_REPLIES
        }
      }
    },
    async (request, reply) => {
      const id = request.params.mentor
      const { mentor } = await findMentor(mentors, id, request)
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${id.replaceAll(/[^\w.-]/g, '_')}-trainingdata.csv"`)
        .send(writeTrainingData(trainingDataOf(mentor)))
    }
  )
}

/**
 * The mentor, for a caller who may read it.
 * @throws {ServiceError} FORBIDDEN for any other caller, NOT_FOUND when there is no such mentor
 */
async function findMentor(mentors: MentorSource, id: string, request: FastifyRequest): Promise<FoundMentor> {
  assertMayRead(callerOf(request), id)
  const found = await mentors.find(id, { caller: callerHeadersOf(request) })
  if (found === undefined) throw unknownMentor()
  return found
}

/** What is said of a mentor that is not there. */
export function unknownMentor(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this mentor: none of that id is stored')
}

function storedReply(id: string, { mentor, revision }: FoundMentor, problems: readonly LineProblem[]) {
  const repertoire = repertoireOf(mentor)
  const utteranceCount = [...repertoire.utterances.values()].reduce((sum, ofName) => sum + ofName.length, 0)
  const phraseCounts = repertoire.answers.map(({ question }) => 1 + (question.paraphrases?.length ?? 0))
  return {
    data: {
      mentor: id,
      revision,
      answerCount: repertoire.answers.length,
      utteranceCount,
      phraseCount: phraseCounts.reduce((sum, count) => sum + count, 0),
      problems: [...problems],
      lint: lintRepertoire(repertoire)
    }
  }
}
