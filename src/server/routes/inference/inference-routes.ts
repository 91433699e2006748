/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import type { JsonLimits } from '../../../reading/bounded-json.ts'
import { ServiceError } from '../../../errors.ts'
import {
  readInputs,
  type InferenceModel,
  type ModelCatalogue,
  type ServedModel
} from '../../../inference/inference-model.ts'
import { DATATYPES, type TensorSpec } from '../../../inference/tensor.ts'
import { assertMayRead, assertMayUseClassifiers, callerOf } from '../../auth.ts'
import { assertScope } from '../../callers/route-scopes.ts'
import { encodeOptionsOf, jsonReply, serverTimingOf, ERROR_REPLY } from '../../encode-reply.ts'
import type { ErrorBody } from '../../error-reply.ts'
import { BINARY_TYPE, JSON_LENGTH_HEADER, attachBinaryData, sendInference } from './inference-body.ts'
import { parseJson } from '../../request-body.ts'
import type { TypedApp } from '../../typed-app.ts'
import { EXAMPLE_CLASSIFIER } from '../classifiers/example-table.ts'
import packageJson from '../../../../package.json' with { type: 'json' }

/** Options of the routes of the Open Inference Protocol. */
export interface InferenceRouteOptions {
  readonly models: ModelCatalogue
  readonly jsonLimits: JsonLimits
}

/** Maximum number of tensors in one request. */
const MAX_TENSORS = 1000
/** Maximum number of dimensions of a tensor. */
const MAX_RANK = 8
const MAX_NAME_CHARACTERS = 300

const Name = Type.String({ minLength: 1, maxLength: MAX_NAME_CHARACTERS })
const Shape = Type.Array(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), { maxItems: MAX_RANK })
const Parameters = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))
/** Example requests: to the encoder, and to a version of a classifier. */
const EXAMPLE_ASKED = {
  model: 'all-MiniLM-L6-v2',
  inputs: [{ name: 'text', datatype: 'BYTES', shape: [2], data: ['hello world', 'hi'] }]
}
const EXAMPLE_ASKED_VERSION = {
  model: EXAMPLE_CLASSIFIER,
  inputs: ['sensor_1', 'sensor_2'].map((name) => ({ name, datatype: 'FP64', shape: [2], data: [1, -1] }))
}
const InferRequest = Type.Object({
  id: Type.Optional(Type.String({ maxLength: MAX_NAME_CHARACTERS, description: 'Returned with the reply.' })),
  parameters: Type.Optional(Parameters),
  inputs: Type.Array(
    Type.Object({
      name: Name,
      datatype: Type.Enum([...DATATYPES]),
      shape: Shape,
      parameters: Type.Optional(Parameters),
      data: Type.Optional(
        Type.Unknown({ description: 'Elements, row-major, flat or nested; absent where they follow as bytes.' })
      )
    }),
    { maxItems: MAX_TENSORS }
  ),
  outputs: Type.Optional(
    Type.Array(Type.Object({ name: Name, parameters: Type.Optional(Parameters) }), {
      maxItems: MAX_TENSORS,
      description: 'Outputs to return; all when none is named.'
    })
  )
})
const TensorReply = Type.Object({
  name: Type.String(),
  datatype: Type.Enum([...DATATYPES]),
  shape: Type.Array(Type.Integer(), { description: '-1 is a size that the request decides.' })
})
const InferReply = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  id: Type.Optional(Type.String()),
  outputs: Type.Array(
    Type.Object({
      name: Type.String(),
      datatype: Type.Enum([...DATATYPES]),
      shape: Shape,
      parameters: Type.Optional(Type.Object({ binary_data_size: Type.Integer() })),
      data: Type.Optional(Type.Array(Type.Unknown()))
    })
  )
})
const ServerReply = Type.Object({
  name: Type.String(),
  version: Type.String(),
  extensions: Type.Array(Type.String())
})
const ModelReply = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String()),
  platform: Type.String(),
  inputs: Type.Array(TensorReply),
  outputs: Type.Array(TensorReply)
})
const ModelReadyReply = Type.Object({ name: Type.String(), ready: Type.Boolean() })
const RepositoryReply = Type.Array(
  Type.Object({ name: Type.String(), version: Type.String(), state: Type.Enum(['READY', 'UNAVAILABLE']) })
)
const PROTOCOL_ERRORS = {
  ...Object.fromEntries(
    [400, 401, 403, 404, 408, 413, 415, 422, 429, 503, 504].map((status) => [
      status,
      jsonReply('An error, as the protocol words it.', Type.Object({ error: Type.String() }))
    ])
  ),
  431: ERROR_REPLY
}

/** Routes of `/v2`: all models by the Open Inference Protocol, with tensors as JSON or as bytes. */
export const inferenceRoutes: FastifyPluginAsyncTypebox<InferenceRouteOptions> = async (
  app,
  { models, jsonLimits }
) => {
  addBodyParsers(app, jsonLimits)
  describeServer(app)
  listModels(app, models)
  for (const path of ['/models/:model', '/models/:model/versions/:version']) {
    const addressed = addressedModel(path)
    describeModel(app, models, addressed)
    checkModel(app, models, addressed)
    askModel(app, models, addressed)
  }
}

function describeServer(app: TypedApp): void {
  app.get(
    '/',
    {
      config: { scope: ['encode', 'ask'] },
      schema: {
        summary: 'Describe the server',
        description: 'Returns the server’s name, version, and the extensions of the protocol that it has.',
        tags: ['inference'],
        response: { 200: ServerReply, ...PROTOCOL_ERRORS }
      }
    },
    async () => ({
      name: packageJson.name,
      version: packageJson.version,
      extensions: ['binary_tensor_data', 'model_repository(index)']
    })
  )
}

function listModels(app: TypedApp, models: ModelCatalogue): void {
  app.post(
    '/repository/index',
    {
      config: { scope: ['encode', 'ask'] },
      schema: {
        summary: 'List models',
        description: 'Lists every model that the caller may ask, each with the version that answers by default.',
        tags: ['inference'],
        response: { 200: RepositoryReply, ...PROTOCOL_ERRORS }
      }
    },
    async (request) => {
      const listed = []
      for (const name of await models.names()) {
        const served = await models.find(name)
        if (served === undefined || !mayUse(request, served)) continue
        const version = (await openIfAny(served))?.version
        const state: 'READY' | 'UNAVAILABLE' = version === undefined ? 'UNAVAILABLE' : 'READY'
        listed.push({ name, version: version ?? '', state })
      }
      return listed
    }
  )
}

/** Path parameters, and texts and examples, of routes for a model or a version of one. */
function addressedModel(path: string) {
  const isOfVersion = path.endsWith(':version')
  const example = isOfVersion ? EXAMPLE_ASKED_VERSION : EXAMPLE_ASKED
  const params = Type.Object({
    model: Type.String({ ...Name, description: 'Name of the model.', examples: [example.model] }),
    ...(isOfVersion && { version: Type.String({ ...Name, description: 'The version.', examples: ['1'] }) })
  })
  return { path, what: isOfVersion ? 'a version of a model' : 'a model', params, example }
}
type AddressedModel = ReturnType<typeof addressedModel>

/**
 * Finds the model that the address names.
 * @throws {ServiceError} NOT_FOUND; FORBIDDEN or MISSING_SCOPE when the caller may not use it
 */
async function findServed(
  models: ModelCatalogue,
  request: FastifyRequest<{ Params: { model: string } }>
): Promise<ServedModel> {
  const served = await models.find(request.params.model)
  if (served === undefined) throw new ServiceError('NOT_FOUND', 'Cannot find the model: there is none of that name')
  assertMayUse(request, served)
  return served
}

function describeModel(app: TypedApp, models: ModelCatalogue, { path, what, params }: AddressedModel): void {
  app.get(
    path,
    {
      config: { scope: ['encode', 'ask'] },
      schema: {
        summary: `Describe ${what}`,
        description: 'Returns the names, data types and shapes of the input and output tensors.',
        tags: ['inference'],
        params,
        response: { 200: ModelReply, ...PROTOCOL_ERRORS }
      }
    },
    async (request) => {
      const served = await findServed(models, request)
      const { platform, inputs, outputs } = await open(served, versionOf(request.params))
      return {
        name: served.name,
        versions: [...(await served.versions())],
        platform,
        inputs: inputs.map(tensorReply),
        outputs: outputs.map(tensorReply)
      }
    }
  )
}

function checkModel(app: TypedApp, models: ModelCatalogue, { path, what, params }: AddressedModel): void {
  app.get(
    `${path}/ready`,
    {
      config: { scope: ['encode', 'ask'] },
      schema: {
        summary: `Check that ${what} can be asked`,
        description: 'Answers 200 when the model is ready, 503 when it cannot be asked now, 404 when there is none.',
        tags: ['inference'],
        params,
        response: { ...PROTOCOL_ERRORS, 200: ModelReadyReply, 503: ModelReadyReply }
      }
    },
    async (request, reply) => {
      const served = await findServed(models, request)
      const version = versionOf(request.params)
      const ready = (await openIfAny(served, version)) !== undefined
      // An unknown version is the caller's mistake; a 503 would look like an outage.
      if (!ready && version !== undefined && !(await served.versions()).includes(version)) throw noModel(version)
      void reply.header('cache-control', 'no-store').code(ready ? 200 : 503)
      return { name: served.name, ready }
    }
  )
}

function askModel(app: TypedApp, models: ModelCatalogue, { path, what, params, example }: AddressedModel): void {
  app.post(
    `${path}/infer`,
    {
      config: { scope: ['encode', 'ask'] },
      schema: {
        summary: `Ask ${what}`,
        description:
          'Takes input tensors and returns output tensors. Tensors may also follow the JSON as bytes, little-endian: the header `Inference-Header-Content-Length` is then the ' +
          'length of the JSON, and the parameter `binary_data_size` of an input the length of its tensor.',
        tags: ['inference'],
        params,
        body: Type.Unsafe<Static<typeof InferRequest>>({ ...InferRequest, examples: [{ inputs: example.inputs }] }),
        response: { 200: jsonReply('The outputs.', InferReply), ...PROTOCOL_ERRORS }
      }
    },
    async (request, reply) => {
      const { id, parameters = {}, inputs, outputs = [] } = request.body
      const model = await open(await findServed(models, request), versionOf(request.params))
      const wanted: typeof outputs = outputs.length === 0 ? model.outputs.map(({ name }) => ({ name })) : outputs
      for (const { name } of wanted) assertGives(model, name)
      const options = encodeOptionsOf(request, reply, undefined)
      const result = await model.infer({ inputs: readInputs(model.inputs, inputs), parameters, options })
      const isBinaryByDefault = parameters['binary_data_output'] === true
      const sent = wanted.map(({ name, parameters: own = {} }) => ({
        tensor: result.outputs.find((output) => output.name === name)!,
        isBinary: own['binary_data'] === undefined ? isBinaryByDefault : own['binary_data'] === true
      }))
      void reply.header('cache-control', 'no-store')
      if (result.timings !== undefined) void reply.header('server-timing', serverTimingOf(result.timings))
      const head = { model_name: model.name, model_version: model.version, ...(id !== undefined && { id }) }
      await sendInference(reply, head, sent, options.signal)
      return reply
    }
  )
}

/** Converts an error to the protocol's form. */
export function toProtocolError({ message }: ErrorBody): { error: string } {
  return { error: message }
}

/** Adds parsers of JSON followed by bytes. Some clients send it without a content type. */
function addBodyParsers(app: FastifyInstance, limits: JsonLimits): void {
  const parse = async (request: FastifyRequest, body: Buffer): Promise<unknown> => {
    const jsonLength = jsonLengthOf(request, body.length)
    return attachBinaryData(parseJson(request, body.subarray(0, jsonLength), limits), body.subarray(jsonLength))
  }
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<Buffer>(['application/json', BINARY_TYPE], { parseAs: 'buffer' }, parse)
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    if (request.headers['content-type'] === undefined) return parse(request, body)
    const found = 'this content-type is not accepted here'
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `Cannot read the body: ${found}, application/json is`)
  })
}

/** Length of a body's JSON. @throws {ServiceError} INVALID_REQUEST when the header has no valid length */
function jsonLengthOf(request: FastifyRequest, bodyLength: number): number {
  const given = request.headers[JSON_LENGTH_HEADER]
  if (given === undefined) return bodyLength
  const length = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : Infinity
  if (length <= bodyLength) return length
  const found = 'is more than was sent, or no whole number'
  throw new ServiceError('INVALID_REQUEST', `Cannot read the body: ${JSON_LENGTH_HEADER} ${found}`)
}

/** The version in the address; undefined when the route has none. */
function versionOf(params: object): string | undefined {
  return 'version' in params && typeof params.version === 'string' ? params.version : undefined
}

async function open(served: ServedModel, version: string | undefined): Promise<InferenceModel> {
  const model = await served.open(version)
  if (model === undefined) throw noModel(version)
  return model
}

function noModel(version: string | undefined): ServiceError {
  const found = version === undefined ? 'no version of it answers' : 'there is no such version'
  return new ServiceError('NOT_FOUND', `Cannot open the model: ${found}`)
}

/** Opens a version; undefined when it does not exist or is unavailable. */
async function openIfAny(served: ServedModel, version?: string): Promise<InferenceModel | undefined> {
  try {
    return await served.open(version)
  } catch (error) {
    if (error instanceof ServiceError) return undefined
    throw error
  }
}

/** Checks that the caller may use a model. @throws {ServiceError} FORBIDDEN, MISSING_SCOPE */
function assertMayUse(request: FastifyRequest, { access }: ServedModel): void {
  assertScope(callerOf(request), access.kind === 'everyone' ? 'encode' : 'ask')
  if (access.kind === 'mentor') assertMayRead(callerOf(request), access.mentorId)
  if (access.kind === 'classifier') assertMayUseClassifiers(callerOf(request))
}

function mayUse(request: FastifyRequest, served: ServedModel): boolean {
  try {
    assertMayUse(request, served)
    return true
  } catch {
    return false
  }
}

function assertGives(model: InferenceModel, name: string): void {
  const names = model.outputs.map((output) => output.name)
  if (names.includes(name)) return
  throw new ServiceError('INVALID_REQUEST', `Cannot infer: an output is unknown; the model gives ${names.join(', ')}`)
}

function tensorReply({ name, datatype, shape }: TensorSpec) {
  return { name, datatype, shape: [...shape] }
}
