/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { Mentor } from '../../../mentor/mentor.ts'
import type { CallerHeaders, MentorSource, MentorStore } from '../../../mentor/mentor-source.ts'
import { bytesOf } from '../../../jobs/payload.ts'
import type { MentorUpload, ReadUpload } from '../../../mentor/mentor-upload.ts'
import type { UploadReader } from '../../../mentor/read-upload.ts'
import { questionSheetOf, trainingDataOf, writeTrainingData, type DroppedLines } from '../../../mentor/training-data.ts'
import type { TrainingReporter } from '../../../mentor/training-reporter.ts'
import type { Reader } from '../../../reading/reading-line.ts'
import { charsetOf } from '../../../reading/text-reader.ts'
import { assertMayRead, callerHeadersOf, callerKey, callerOf, mayRead } from '../../auth.ts'
import { assertMayEdit } from '../../edit-permission.ts'
import { ERROR_REPLIES, ERROR_REPLY, callerSignal, jsonReply } from '../../encode-reply.ts'
import { REQUIRED_FIELD } from '../../error-reply.ts'
import { checkedBytes } from '../../request-body.ts'
import { validateHead } from '../../validate-head.ts'
import type { TypedApp } from '../../typed-app.ts'
import { MentorList, StoredReply } from './mentor-replies.ts'
import { EXAMPLE_MENTOR, EXAMPLE_MENTOR_CSV, EXAMPLE_MENTOR_ID } from './example-mentor.ts'

/** Options of the mentor routes. */
export interface MentorRouteOptions {
  readonly mentors: MentorSource
  /** The same mentors when they are stored here and can be changed. @default they are stored elsewhere */
  readonly store?: MentorStore
  /** Checks who may edit a mentor that is stored elsewhere. @default only the token is checked */
  readonly trainings?: TrainingReporter
  /** Deletes what belongs to a deleted mentor: models, grades, records of questions. */
  readonly forget: (mentorId: string) => Promise<void>
  /** Reads uploaded mentors. */
  readonly readUpload: UploadReader
  readonly mentorBodyLimitBytes: number
}

/** Schema of a mentor's id. */
export const MentorId = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Id of the mentor.',
  examples: [EXAMPLE_MENTOR_ID]
})
/** Path parameters of a mentor. */
export const MentorParams = Type.Object({ mentor: MentorId })
/** Error replies of routes of one mentor, for the docs. */
export const MENTOR_ERROR_REPLIES = {
  ...ERROR_REPLIES,
  403: ERROR_REPLY,
  404: ERROR_REPLY,
  // When a GraphQL service keeps the mentors.
  502: ERROR_REPLY,
  504: ERROR_REPLY
} as const

/** Routes of `/mentors` and `/trainingdata`: mentors and their answers. */
export const mentorRoutes: FastifyPluginAsyncTypebox<MentorRouteOptions> = async (app, options) => {
  await app.register(uploadRoutes, options)
  listMentors(app, options)
  readMentor(app, options)
  deleteMentor(app, options)
  downloadTrainingData(app, options)
}

function listMentors(app: TypedApp, options: MentorRouteOptions): void {
  app.get(
    '/mentors',
    {
      config: { scope: ['ask', 'train'] },
      schema: {
        summary: 'List mentors',
        description: 'Lists the stored mentors that the caller may read, with how many answers each has.',
        tags: ['mentors'],
        response: { 200: MentorList, ...ERROR_REPLIES }
      }
    },
    async (request) => {
      const caller = callerOf(request)
      const entries = (await storeOf(options).list()).filter((entry) => mayRead(caller, entry.id))
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
}

function readMentor(app: TypedApp, options: MentorRouteOptions): void {
  app.get(
    '/mentors/:mentor',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Read a mentor',
        description: 'Returns the whole mentor as JSON: its questions, paraphrases, answers and media.',
        tags: ['mentors'],
        params: MentorParams,
        response: {
          200: jsonReply('The mentor, as stored.', Mentor),
          ...MENTOR_ERROR_REPLIES
        }
      }
    },
    async (request, reply) => {
      const id = request.params.mentor
      assertMayRead(callerOf(request), id)
      const json = await readJson(options, id, callerHeadersOf(request))
      if (json === undefined) throw unknownMentor()
      return reply.header('content-type', 'application/json; charset=utf-8').send(json)
    }
  )
}

function deleteMentor(app: TypedApp, options: MentorRouteOptions): void {
  app.delete(
    '/mentors/:mentor',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Delete a mentor',
        description:
          'Deletes the mentor, all versions of its model, and the record of questions that it was asked. A training that is under way fails.',
        tags: ['mentors'],
        params: MentorParams,
        response: { 204: Type.Null(), ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const id = request.params.mentor
      assertMayRead(callerOf(request), id)
      const wasThere = await storeOf(options).delete(id)
      await options.forget(id)
      if (!wasThere) throw unknownMentor()
      return reply.code(204).send(null)
    }
  )
}

function downloadTrainingData(app: TypedApp, options: MentorRouteOptions): void {
  app.get(
    '/trainingdata/:mentor',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Download a mentor’s training data',
        description:
          'Returns the table of questions and answers as CSV, for callers who may edit the mentor. For a stored mentor, `id` is that of the answer; ' +
          'for a mentor of a GraphQL service it is that of the question, and each question is listed once. `PUT /mentors/{mentor}` accepts both.',
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
      await assertMayEdit(request, id, options.trainings)
      const found = await options.mentors.find(id, { caller: callerHeadersOf(request) })
      if (found === undefined) throw unknownMentor()
      const rows = options.store === undefined ? questionSheetOf(found.mentor) : trainingDataOf(found.mentor)
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${id.replaceAll(/[^\w.-]/g, '_')}-trainingdata.csv"`)
        .send(writeTrainingData(rows))
    }
  )
}

/** The store of mentors. @throws {ServiceError} METHOD_NOT_ALLOWED when mentors are stored elsewhere */
function storeOf({ store }: MentorRouteOptions): MentorStore {
  if (store !== undefined) return store
  throw new ServiceError(
    'METHOD_NOT_ALLOWED',
    'Cannot list or change mentors here: the GraphQL service keeps them (MENTOR_SOURCE=graphql)'
  )
}

/** Reads a mentor's JSON; undefined when there is no such mentor. */
async function readJson(
  { mentors, store }: MentorRouteOptions,
  id: string,
  caller: CallerHeaders
): Promise<Buffer | string | undefined> {
  if (store === undefined) {
    const found = await mentors.find(id, { caller })
    return found && JSON.stringify(found.mentor)
  }
  const stored = await store.readJson(id)
  return stored && Buffer.from(stored.json.buffer)
}

/** Makes the error for an unknown mentor. */
export function unknownMentor(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this mentor: none of that id is stored')
}

/** Maximum number of tries to write a mentor that others write at the same time. */
const MAX_PUT_TRIES = 5

/** Routes that upload mentors. Bodies are received as bytes, since large ones are parsed and checked outside of the main thread. */
const uploadRoutes: FastifyPluginAsyncTypebox<MentorRouteOptions> = async (app, options) => {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<Buffer>(['application/json', 'text/csv'], { parseAs: 'buffer' }, (request, body, done) => {
    done(null, checkedBytes(request, body))
  })

  app.put(
    '/mentors/:mentor',
    {
      config: { scope: 'train' },
      bodyLimit: options.mentorBodyLimitBytes,
      schema: {
        summary: 'Store a mentor',
        description:
          'Stores a whole mentor as CSV or JSON. The columns of the CSV are `id,question,paraphrases,answer,topic`, with `|` between paraphrases and between topics. ' +
          'For answers that the mentor already has, CSV changes only the texts: their videos stay. ' +
          'The id of a question may stand for that of its answer. The reply lists invalid lines, and data that will make answers worse.',
        tags: ['mentors'],
        params: MentorParams,
        body: {
          content: {
            'text/csv': { schema: Type.String({ examples: [EXAMPLE_MENTOR_CSV] }) },
            'application/json': { schema: { ...Mentor, examples: [EXAMPLE_MENTOR] } }
          }
        },
        response: { 200: StoredReply, ...MENTOR_ERROR_REPLIES }
      },
      // Before the body is read, which would be in vain.
      onRequest: async (request) => {
        storeOf(options)
        assertMayRead(callerOf(request), request.params.mentor)
      },
      validatorCompiler: validateHead
    },
    async (request, reply) => {
      const id = request.params.mentor
      const bytes = bytesOf(request.body)
      if (bytes.length === 0) {
        throw new ServiceError('INVALID_REQUEST', 'Cannot store the mentor: there is no body, JSON or CSV is wanted', {
          fields: { body: [REQUIRED_FIELD] }
        })
      }
      const isCsv = request.headers['content-type']?.toLowerCase().startsWith('text/csv') === true
      const reader = { callerKey: callerKey(callerOf(request)), signal: callerSignal(reply, undefined) }
      const charset = charsetOf(request.headers['content-type'])
      const upload: MentorUpload = { format: isCsv ? 'csv' : 'json', bytes, charset }
      const { mentor, summary } = await putUpload(storeOf(options), id, options.readUpload, upload, reader)
      const { problems, lint, dropped, ...counts } = summary
      const told = { ...droppedView(dropped), problems: [...problems], lint: [...lint] }
      return { data: { mentor: id, revision: mentor.revision, ...counts, ...told } }
    }
  )
}

/** Makes a {@link DroppedView}. */
export function droppedView(dropped: (DroppedLines & { readonly numberingColumns?: readonly string[] }) | undefined) {
  if (dropped === undefined) return {}
  const { emptyRowCount, headerRowCount, emptyColumns, numberingColumns = [] } = dropped
  const rows = emptyRowCount + headerRowCount
  const columns = [...emptyColumns, ...numberingColumns]
  return rows === 0 && columns.length === 0 ? {} : { dropped: { rows, columns } }
}

/** Reads and stores an upload. @throws {ServiceError} reading errors; UNAVAILABLE when others keep writing the same mentor */
async function putUpload(
  mentors: MentorStore,
  id: string,
  read: UploadReader,
  upload: MentorUpload,
  reader: Reader
): Promise<ReadUpload> {
  if (upload.format === 'json') {
    const uploaded = await read(upload, reader)
    await mentors.put(id, uploaded.mentor)
    return uploaded
  }
  for (let tries = 0; tries < MAX_PUT_TRIES; tries += 1) {
    const before = await mentors.readJson(id)
    // A copy, since the bytes may be transferred to a thread.
    const uploaded = await read({ ...upload, bytes: upload.bytes.slice(), before: before?.json }, reader)
    if (await mentors.put(id, uploaded.mentor, before?.revision ?? null)) return uploaded
  }
  throw new ServiceError('UNAVAILABLE', 'Cannot store the mentor: others change it at the same time')
}
