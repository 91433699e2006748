/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GraphQLError, buildSchema, graphql, parse, visit } from 'graphql'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { repertoireOf, type Mentor, type MentorAnswer } from '../../src/mentor/mentor.ts'

/** What can go wrong with a reply. */
export const FAULTS = {
  errors: 'answers 200 with `errors`',
  'status-500': 'answers 500',
  hang: 'never answers',
  drip: 'answers a byte at a time, and never ends',
  'not-json': 'answers 200 with a page of HTML',
  half: 'does what was asked, and breaks off in the middle of the reply',
  refuse: 'closes the connection without a reply'
} as const

/** A key of {@link FAULTS}. */
export type Fault = keyof typeof FAULTS

/** Which replies go wrong, and how. */
export interface FaultPlan {
  readonly fault: Fault
  /** Only operations with this field, such as `userQuestions`, or of this name. @default all */
  readonly field?: string
  /** How many replies. @default until told otherwise */
  times?: number
}

/** A question that somebody asked. */
export interface UserQuestion {
  readonly _id: string
  readonly mentor: string
  readonly question: string
  readonly classifierAnswer?: string
  readonly classifierAnswerType?: string
  readonly confidence?: number
  readonly chatSessionId?: string
  readonly graderAnswer: MentorAnswer | null
}

/** A reported status of a training. */
export interface TrainTask {
  readonly _id: string
  readonly mentor: string
  readonly status: string
}

/** A request that came in. */
export interface SeenRequest {
  /** Name of the operation, and its fields: `mentor`, `mentorTrainTaskAddOrUpdate`. */
  readonly fields: readonly string[]
  readonly headers: IncomingHttpHeaders
}

/** How to build a {@link GraphQlStandIn}. */
export interface GraphQlStandInOptions {
  readonly mentors: Readonly<Record<string, Mentor>>
  /** Requests without it are answered 401. @default all are answered */
  readonly secretHeader?: { readonly name: string; readonly value: string }
}

const SCHEMA = buildSchema(readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'))
const DEFAULT_LIMIT = 100
const MAX_SEEN_REQUESTS = 1000
const DRIP_MS = 20
const MAX_BODY_BYTES = 1_048_576

const operationRequest = Compile(
  Type.Object({ query: Type.String(), variables: Type.Optional(Type.Record(Type.String(), Type.Unknown())) })
)
const faultRequest = Compile(
  Type.Object({
    fault: Type.Enum(['none', 'errors', 'status-500', 'hang', 'drip', 'not-json', 'half', 'refuse']),
    field: Type.Optional(Type.String()),
    times: Type.Optional(Type.Integer({ minimum: 1 }))
  })
)
const removeRequest = Compile(Type.Object({ mentor: Type.String(), answer: Type.String() }))
const gradeRequest = Compile(Type.Object({ mentor: Type.String(), question: Type.String(), answer: Type.String() }))

/**
 * A small GraphQL service of mentors, over real HTTP, that keeps everything in memory and fails when it is told to.
 * Operations are at `/graphql`; at `/stand-in` is what it was told, `PUT /stand-in/fault` makes it fail,
 * `PUT /stand-in/grade` grades a question, `PUT /stand-in/remove` takes an answer away.
 */
export class GraphQlStandIn {
  readonly mentors: Map<string, Mentor>
  /** Mentors that nobody may edit. */
  readonly locked = new Set<string>()
  readonly userQuestions: UserQuestion[] = []
  /** Every reported status, in order. */
  readonly trainTasks: TrainTask[] = []
  /** Mentors that were reported as trained, in order. */
  readonly trained: string[] = []
  readonly requests: SeenRequest[] = []
  /** Which `_id` a training's task gets: the one that was given, or always the same. */
  taskIds: 'given' | 'one' = 'given'
  /** Number of connections so far. */
  connectionCount = 0
  readonly #options: GraphQlStandInOptions
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  #plan: FaultPlan | undefined

  constructor(options: GraphQlStandInOptions) {
    this.#options = options
    this.mentors = new Map(Object.entries(options.mentors))
    this.#server.on('connection', () => {
      this.connectionCount += 1
    })
  }

  /** Listens on 127.0.0.1; 0 takes any free port. @returns the origin */
  async listen(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return this.origin
  }

  get origin(): string {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on TCP has such an address
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get endpoint(): string {
    return `${this.origin}/graphql`
  }

  /** Sets the fault of the following replies; without a plan, replies work. */
  fail(plan?: FaultPlan): void {
    this.#plan = plan && { ...plan }
  }

  /** Grades a user's question to its right answer. */
  grade(mentorId: string, question: string, answerId: string): void {
    const mentor = this.mentors.get(mentorId)
    const answer = [...(mentor?.answers ?? []), ...(mentor?.orphanedCompleteAnswers ?? [])].find(
      ({ _id }) => _id === answerId
    )
    if (answer === undefined) throw new RangeError('the mentor has no such answer')
    this.userQuestions.push({ _id: this.#newId('graded'), mentor: mentorId, question, graderAnswer: answer })
  }

  /** Takes an answer away from a mentor. */
  remove(mentorId: string, answerId: string): void {
    const mentor = this.mentors.get(mentorId)
    if (mentor === undefined) throw new RangeError('there is no such mentor')
    const answers = mentor.answers?.filter(({ _id }) => _id !== answerId)
    this.mentors.set(mentorId, { ...mentor, ...(answers !== undefined && { answers }) })
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await bodyOf(request)
      if (request.url === '/graphql' && request.method === 'POST') await this.#operate(request, body, response)
      else this.#control(`${request.method} ${request.url}`, body, response)
    } catch (error) {
      sendJson(response, 400, { errors: [{ message: error instanceof Error ? error.message : String(error) }] })
    }
  }

  async #operate(request: IncomingMessage, body: unknown, response: ServerResponse): Promise<void> {
    if (!operationRequest.Check(body)) throw new RangeError('want {query, variables}')
    const { query, variables = {} } = body
    const fields = fieldsOf(query)
    this.requests.push({ fields, headers: request.headers })
    if (this.requests.length > MAX_SEEN_REQUESTS) this.requests.shift()
    const { secretHeader } = this.#options
    if (secretHeader !== undefined && request.headers[secretHeader.name.toLowerCase()] !== secretHeader.value) {
      sendJson(response, 401, { errors: [{ message: 'the secret header is wrong' }] })
      return
    }
    const fault = this.#faultFor(fields)
    if (fault === 'hang') return
    if (fault === 'drip') {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write(' '), DRIP_MS)
      response.on('close', () => clearInterval(timer))
      return
    }
    if (fault === 'refuse') {
      request.socket.destroy()
      return
    }
    if (fault === 'errors') {
      sendJson(response, 200, { errors: [{ message: 'told to fail', extensions: { code: 'TOLD_TO_FAIL' } }] })
      return
    }
    if (fault === 'status-500') {
      sendJson(response, 500, { message: 'told to fail' })
      return
    }
    if (fault === 'not-json') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Told to fail</title>')
      return
    }
    const result = await graphql({
      schema: SCHEMA,
      source: query,
      variableValues: variables,
      rootValue: this.#resolvers(request.headers.authorization !== undefined)
    })
    const json = JSON.stringify(result)
    if (fault === 'half') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(json.length) })
      response.write(json.slice(0, json.length / 2), () => request.socket.destroy())
      return
    }
    sendJson(response, result.data === undefined ? 400 : 200, result)
  }

  #control(route: string, body: unknown, response: ServerResponse): void {
    if (route === 'PUT /stand-in/fault') {
      if (!faultRequest.Check(body)) throw new RangeError(`want {fault, field?, times?}, fault one of ${faultNames()}`)
      const { fault, ...plan } = body
      this.fail(fault === 'none' ? undefined : { ...plan, fault })
      sendJson(response, 200, { fault, ...plan })
    } else if (route === 'PUT /stand-in/grade') {
      if (!gradeRequest.Check(body)) throw new RangeError('want {mentor, question, answer}')
      this.grade(body.mentor, body.question, body.answer)
      sendJson(response, 200, body)
    } else if (route === 'PUT /stand-in/remove') {
      if (!removeRequest.Check(body)) throw new RangeError('want {mentor, answer}')
      this.remove(body.mentor, body.answer)
      sendJson(response, 200, body)
    } else if (route === 'GET /stand-in') {
      const { trainTasks, trained, userQuestions } = this
      const shown = userQuestions.map(({ graderAnswer, ...one }) => ({
        ...one,
        graderAnswer: graderAnswer?._id ?? null
      }))
      sendJson(response, 200, { trainTasks, trained, userQuestions: shown, fault: this.#plan ?? 'none' })
    } else {
      const routes = 'POST /graphql, GET /stand-in, PUT /stand-in/fault, PUT /stand-in/grade, PUT /stand-in/remove'
      sendJson(response, 404, { message: `want ${routes}` })
    }
  }

  #faultFor(fields: readonly string[]): Fault | undefined {
    const plan = this.#plan
    if (plan === undefined || (plan.field !== undefined && !fields.includes(plan.field))) return undefined
    if (plan.times !== undefined) {
      plan.times -= 1
      if (plan.times === 0) this.#plan = undefined
    }
    return plan.fault
  }

  #resolvers(isLoggedIn: boolean) {
    return {
      mentor: ({ id }: { id: string }) => this.#mentor(id),
      mentorCanEdit: ({ mentor }: { mentor: string }) => isLoggedIn && !this.locked.has(mentor),
      userQuestions: (args: { filter: object; limit?: number; cursor?: string }) => this.#page(args),
      categoryAnswers: ({ category, mentor }: { category: string; mentor: string }) => this.#category(category, mentor),
      userQuestionCreate: ({ userQuestion }: { userQuestion: Omit<UserQuestion, '_id' | 'graderAnswer'> }) => {
        const created = { ...userQuestion, _id: this.#newId('asked'), graderAnswer: null }
        this.userQuestions.push(created)
        return created
      },
      updateMentorTraining: ({ id }: { id: string }) => {
        const mentor = this.#mentor(id)
        if (mentor === null) throw new GraphQLError('no such mentor')
        this.trained.push(id)
        return mentor
      },
      me: () => {
        if (!isLoggedIn) throw new GraphQLError('not logged in', { extensions: { code: 'UNAUTHENTICATED' } })
        return {
          mentorTrainTaskAddOrUpdate: (args: { taskDocId: string; mentorId: string; status: string }) => {
            const _id = this.taskIds === 'given' ? args.taskDocId : 'task'
            const task = { _id, mentor: args.mentorId, status: args.status }
            this.trainTasks.push(task)
            return task
          }
        }
      }
    }
  }

  #mentor(id: string) {
    const mentor = this.mentors.get(id)
    if (mentor === undefined) return null
    const questions = (mentor.questions ?? []).map((listed) => ({
      question: listed.question,
      topics: listed.topics ?? []
    }))
    return {
      _id: id,
      name: mentor.name,
      mentorType: mentor.mentorType,
      subjects: mentor.subjects ?? [],
      topics: mentor.topics ?? [],
      questions,
      answers: mentor.answers ?? [],
      orphanedCompleteAnswers: mentor.orphanedCompleteAnswers ?? []
    }
  }

  #page({ filter, limit = DEFAULT_LIMIT, cursor }: { filter: object; limit?: number; cursor?: string }) {
    const all = this.userQuestions.filter((one) => matches(one, filter))
    const start = cursor === undefined || cursor === null ? 0 : all.findIndex(({ _id }) => _id === cursor) + 1
    const page = all.slice(start, start + limit)
    return {
      edges: page.map((node) => ({ cursor: node._id, node })),
      pageInfo: { hasNextPage: start + limit < all.length, endCursor: page.at(-1)?._id ?? null }
    }
  }

  #category(category: string, mentorId: string) {
    const mentor = this.mentors.get(mentorId)
    if (mentor === undefined) return null
    const ids = new Set(
      mentor.questions
        ?.filter(({ topics }) => topics?.some(({ name }) => name === category))
        .map(({ question }) => question._id)
    )
    return repertoireOf(mentor)
      .answers.filter(({ question }) => ids.has(question._id))
      .map(({ question, transcript }) => ({ questionText: question.question, answerText: transcript ?? '' }))
  }

  #newId(kind: string): string {
    return `${kind}-${this.userQuestions.length + 1}`
  }
}

/** The names of all faults, for people. */
function faultNames(): string {
  return ['none', ...Object.keys(FAULTS)].join(', ')
}

/** Whether a document passes a filter of `$and`, `{field: value}` and `{field: {$ne: value}}`. */
function matches(document: object, filter: object): boolean {
  return Object.entries(filter).every(([key, wanted]: [string, unknown]) => {
    if (key === '$and') return Array.isArray(wanted) && wanted.every((part: object) => matches(document, part))
    const value: unknown = Reflect.get(document, key) ?? null
    if (typeof wanted === 'object' && wanted !== null && '$ne' in wanted) return value !== wanted.$ne
    return value === wanted
  })
}

/** The names of an operation, of its fields, and of those within `me`. */
function fieldsOf(query: string): string[] {
  const fields: string[] = []
  visit(parse(query), {
    OperationDefinition(node) {
      if (node.name !== undefined) fields.push(node.name.value)
    },
    Field(node) {
      fields.push(node.name.value)
      return node.name.value === 'me' ? undefined : false
    }
  })
  return fields
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let byteLength = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    byteLength += bytes.length
    if (byteLength > MAX_BODY_BYTES) throw new RangeError(`want at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(bytes)
  }
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
}

function sendJson(response: ServerResponse, statusCode: number, body: object): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}
