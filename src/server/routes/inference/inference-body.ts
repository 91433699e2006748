/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyReply } from 'fastify'
import { float32Json } from '../../../embedding/float32-json.ts'
import { nextTurn } from '../../../embedding/similarity.ts'
import { ServiceError } from '../../../errors.ts'
import { tensorBytes, type Tensor } from '../../../inference/tensor.ts'
import { JSON_TYPE } from '../../encode-reply.ts'

/** Header with the length of a body's JSON in bytes; binary tensors follow it. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length'

/** Media type of JSON followed by binary tensors. */
export const BINARY_TYPE = 'application/octet-stream'

/** Numbers turned into JSON before the event loop may run other work: some 2 ms. */
const NUMBERS_A_TURN = 49_152

/** An output, and whether it is sent as bytes. */
export interface SentOutput {
  readonly tensor: Tensor
  readonly isBinary: boolean
}

/**
 * Attaches the bytes that follow a request's JSON to its inputs, in order.
 * Source: Triton's binary tensor data extension, `binary_data_size`.
 * @param body the parsed JSON; what is invalid in it is left to the schema
 * @throws {ServiceError} INVALID_REQUEST when the sizes do not add up to the bytes that were sent
 */
export function attachBinaryData(body: unknown, bytes: Buffer): unknown {
  const inputs = fieldOf(body, 'inputs')
  if (!Array.isArray(inputs)) return body
  let at = 0
  const attached = inputs.map((input: unknown) => {
    const size = fieldOf(fieldOf(input, 'parameters'), 'binary_data_size')
    if (size === undefined || size === null) return input
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || at + size > bytes.length) {
      throw new ServiceError('INVALID_REQUEST', 'Cannot read the inputs: a binary_data_size is more than was sent')
    }
    const data = bytes.subarray(at, at + size)
    at += size
    return typeof input === 'object' ? { ...input, data } : input
  })
  if (at < bytes.length) {
    const found = `${bytes.length - at} bytes after the JSON belong to no input`
    throw new ServiceError('INVALID_REQUEST', `Cannot read the inputs: ${found}`)
  }
  return { ...Object(body), inputs: attached }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}

/**
 * Sends the reply to an inference: JSON, followed by the outputs that were requested as bytes.
 * @param head fields before `outputs`
 * @throws {ServiceError} UNPROCESSABLE when a number is not finite, which JSON cannot express
 */
export async function sendInference(
  reply: FastifyReply,
  head: object,
  outputs: readonly SentOutput[],
  signal: AbortSignal | undefined
): Promise<void> {
  const json: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"outputs":[`)]
  const binary: Buffer[] = []
  for (const [index, { tensor, isBinary }] of outputs.entries()) {
    const { name, datatype, shape } = tensor
    const bytes = isBinary ? tensorBytes(tensor) : undefined
    const parameters = bytes === undefined ? {} : { parameters: { binary_data_size: bytes.length } }
    const described = JSON.stringify({ name, datatype, shape: [...shape], ...parameters })
    json.push(Buffer.from(`${index === 0 ? '' : ','}${described.slice(0, -1)}`))
    if (bytes === undefined) {
      json.push(Buffer.from(',"data":['))
      for await (const piece of jsonElements(tensor, signal)) json.push(piece)
      json.push(Buffer.from(']'))
    } else binary.push(bytes)
    json.push(Buffer.from('}'))
  }
  json.push(Buffer.from(']}'))
  const text = Buffer.concat(json)
  if (binary.length > 0) void reply.header(JSON_LENGTH_HEADER, String(text.length))
  void reply.header('content-type', binary.length > 0 ? BINARY_TYPE : JSON_TYPE)
  void reply.send(Buffer.concat([text, ...binary]))
}

/** The elements of a tensor as comma-separated JSON, in pieces. */
async function* jsonElements(tensor: Tensor, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  for (let from = 0; from < tensor.data.length; from += NUMBERS_A_TURN) {
    const array = jsonArray(tensor, from, from + NUMBERS_A_TURN)
    if (from > 0) yield COMMA
    yield array.subarray(1, -1)
    if (from + NUMBERS_A_TURN < tensor.data.length) await nextTurn(signal)
  }
}

const COMMA = Buffer.from(',')

function jsonArray(tensor: Tensor, from: number, to: number): Buffer {
  const { datatype, data } = tensor
  if (datatype === 'FP32') {
    const numbers = data.subarray(from, to)
    if (!numbers.every(Number.isFinite)) throw notFinite(tensor)
    return float32Json(numbers)
  }
  if (datatype === 'BYTES') return Buffer.from(JSON.stringify(data.slice(from, to)))
  if (datatype === 'BOOL') return Buffer.from(JSON.stringify(Array.from(data.subarray(from, to), Boolean)))
  const numbers: (number | bigint)[] = [...data.subarray(from, to)]
  if (datatype === 'FP64' && !numbers.every(Number.isFinite)) throw notFinite(tensor)
  return Buffer.from(`[${numbers.join(',')}]`)
}

function notFinite({ name }: Tensor): ServiceError {
  const message = `Cannot send output "${name}": a number is not finite, which JSON cannot express; ask for it as binary_data`
  return new ServiceError('UNPROCESSABLE', message)
}
