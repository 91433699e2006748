/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { dropNullMembers } from '../../../reading/absent-members.ts'
import { readJson, type JsonLimits } from '../../../reading/bounded-json.ts'
import { ServiceError } from '../../../errors.ts'
import { PRIORITIES, type Priority } from '../../../jobs/job-status.ts'
import { packPayload, type Payload } from '../../../jobs/payload.ts'
import { MAX_CALLBACK_URL_CHARACTERS } from '../../../jobs/webhook.ts'
import type { Reader, ReadingLine } from '../../../reading/reading-line.ts'
import { REQUIRED_FIELD } from '../../error-reply.ts'

/** Id of a job in an address. The example's job does not exist. */
export const JobId = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Id of the job, from the reply that accepted it.',
  examples: ['01996f3c-7b1a-7d58-9c3e-2f4b6a8d0e12']
})

/** A type of job that callers may enqueue over HTTP. */
export interface RequestedJobType {
  /** Schema of its input. */
  readonly input: TSchema
  /** Priority unless the request sets one. */
  readonly priority: Priority
}

/** Types of jobs by name. */
export type RequestedJobTypes = ReadonlyMap<string, RequestedJobType>

/** URL that is called when the job has ended. */
export const CallbackUrl = Type.String({
  maxLength: MAX_CALLBACK_URL_CHARACTERS,
  description: 'Gets a signed notice once the job has ended.'
})

/** Schema of a requested job. */
export const JobRequest = Type.Object(
  {
    type: Type.String({ description: 'Type of the job.', minLength: 1, maxLength: 100 }),
    input: Type.Unknown({ description: 'Input of the job; for `encode` and `paraphrase`: {"sentences": […]}.' }),
    callbackUrl: Type.Optional(CallbackUrl),
    priority: Type.Optional(Type.Enum([...PRIORITIES], { description: 'Whether a person waits for it.' }))
  },
  { examples: [{ type: 'encode', input: { sentences: ['first', 'second'] } }] }
)

/** A requested job, with its input checked and packed. */
export interface RequestedJob {
  readonly type: string
  readonly priority: Priority
  readonly input: Payload
  readonly callbackUrl?: string
  readonly expectedResultBytes: number
}

/** Message to the reading thread. */
export interface JobReadOrder {
  /** The request's JSON, in UTF-8. */
  readonly bytes: Uint8Array
  readonly types: RequestedJobTypes
  readonly limits: JsonLimits
}

/** Up to this size, reading takes less time than starting a thread. */
const MAX_BYTES_READ_HERE = 131_072

const THREAD = new URL('job-request-worker.ts', import.meta.url)
const jobRequest = Compile(JobRequest)

/** Makes a reader of jobs, which reads small ones on this thread, and queues large ones for a thread of their own. */
export function createJobReader(
  types: RequestedJobTypes,
  limits: JsonLimits,
  line: ReadingLine
): (bytes: Uint8Array, reader: Reader) => Promise<RequestedJob> {
  const validators = new Map([...types].map(([name, { input }]) => [name, Compile(input)]))
  // Plain JSON, since typebox's hidden properties cannot be sent to a thread and are not needed there.
  const sentTypes: RequestedJobTypes = new Map(
    [...types].map(([name, { input, priority }]) => [name, { input: JSON.parse(JSON.stringify(input)), priority }])
  )
  return async (bytes, reader) => {
    if (bytes.length <= MAX_BYTES_READ_HERE) return readJobRequest(bytes, types, limits, validators)
    const ofThread = { ...limits, maxJsonHeapBytes: line.maxJsonHeapBytes }
    return line.read<RequestedJob>(THREAD, { bytes, types: sentTypes, limits: ofThread }, reader)
  }
}

/**
 * Parses and checks the JSON of a job.
 * @param validators of the inputs, by type. @default compiled here
 * @throws {ServiceError} INVALID_REQUEST with the problems by field, and the errors of {@link readJson}
 */
export function readJobRequest(
  bytes: Uint8Array,
  types: RequestedJobTypes,
  limits: JsonLimits,
  validators?: ReadonlyMap<string, Pick<Validator, 'Errors'>>
): RequestedJob {
  const body = bytes.length === 0 ? undefined : readJson(bytes, limits)
  dropNullMembers(body, JobRequest)
  if (!jobRequest.Check(body)) throw invalidInput(jobRequest.Errors(body))
  const asked: Static<typeof JobRequest> = body
  const type = types.get(asked.type)
  if (type === undefined) throw invalidJob('type', [`want one of ${[...types.keys()].join(', ')}`])
  dropNullMembers(asked.input, type.input)
  const problems = (validators?.get(asked.type) ?? Compile(type.input)).Errors(asked.input)
  if (problems.length > 0) throw invalidInput(problems)
  return {
    type: asked.type,
    priority: asked.priority ?? type.priority,
    input: packPayload(asked.input),
    expectedResultBytes: expectedBytesOf(sentenceCountOf(asked.input), bytes.length),
    ...(asked.callbackUrl !== undefined && { callbackUrl: asked.callbackUrl })
  }
}

/** Stored size of an embedding, with the fields beside it. */
const EMBEDDING_BYTES = 384 * 4 + 64

/** Expected size of a job's result: each sentence's embedding and text. */
export function expectedBytesOf(sentenceCount: number, inputBytes: number): number {
  return sentenceCount * EMBEDDING_BYTES + inputBytes
}

function sentenceCountOf(input: unknown): number {
  if (typeof input !== 'object' || input === null || !('sentences' in input)) return 0
  return Array.isArray(input.sentences) ? input.sentences.length : 0
}

/** Makes the error for a job with an invalid field. */
export function invalidJob(field: string, reasons: readonly string[]): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot accept the job: ${field}: ${reasons.join(', ')}`, {
    fields: { [field]: reasons }
  })
}

/** Makes the error for the first problem, with its field, without quoting the value. */
function invalidInput([problem]: ReturnType<Validator['Errors']>): ServiceError {
  if (problem === undefined) return invalidJob('body', ['not a job'])
  const path = problem.instancePath.split('/').slice(1)
  if (problem.keyword === 'required') {
    const [missing = ''] = problem.params.requiredProperties
    return invalidJob([...path, missing].join('.'), [REQUIRED_FIELD])
  }
  return invalidJob(path.length === 0 ? 'input' : path.join('.'), [problem.message])
}
