/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

/** Array type of each numeric datatype; the names are those of the Open Inference Protocol. */
const NUMBER_ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP32: Float32Array,
  FP64: Float64Array
} as const

type NumberDatatype = keyof typeof NUMBER_ARRAYS

type NumberTensor<Name extends NumberDatatype> = {
  readonly datatype: Name
  readonly data: (typeof NUMBER_ARRAYS)[Name]['prototype']
}

/** Element type of a tensor. */
export type Datatype = NumberDatatype | 'BYTES'

/** Every {@link Datatype}. */
export const DATATYPES: readonly Datatype[] = ['BYTES', ...namesOf(NUMBER_ARRAYS)]

/** Specification of an input or output of a model; `-1` is a size that each request sets. */
export interface TensorSpec {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
}

/** Elements row-major: texts for BYTES, else numbers; BOOL is 0 or 1. */
export type Tensor = { readonly name: string; readonly shape: readonly number[] } & (
  | { readonly datatype: 'BYTES'; readonly data: readonly string[] }
  | { [Name in NumberDatatype]: NumberTensor<Name> }[NumberDatatype]
)

/** A tensor as it was sent: its data is JSON, nested or flat, or binary. */
export interface SentTensor {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
  readonly data?: unknown
}

/**
 * Reads a tensor of a request.
 * @throws {ServiceError} INVALID_REQUEST when its data does not fit its datatype or shape
 */
export function readTensor(sent: SentTensor): Tensor {
  const { name, datatype, shape, data } = sent
  const elementCount = shape.reduce((count, size) => count * size, 1)
  if (!Number.isSafeInteger(elementCount)) throw invalid(name, 'its shape has more elements than can be counted')
  if (data === undefined) throw invalid(name, 'it has no data')
  if (datatype === 'BYTES') {
    const texts = data instanceof Uint8Array ? textsOfBytes(name, data) : textsOfJson(name, data)
    assertCount(name, texts.length, elementCount)
    return { name, datatype, shape, data: texts }
  }
  const kind = NUMBER_ARRAYS[datatype]
  let numbers: InstanceType<typeof kind>
  if (data instanceof Uint8Array) {
    assertCount(name, data.byteLength / kind.BYTES_PER_ELEMENT, elementCount)
    // Copied, since the bytes of a request may begin at any offset, but a typed array only at a multiple of its element
    // size.
    numbers = new kind(new Uint8Array(data).buffer)
  } else {
    const elements = flatten(name, data)
    assertCount(name, elements.length, elementCount)
    numbers = numbersOfJson(name, datatype, elements)
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- NUMBER_ARRAYS has paired the two; a union of pairs does not remember it
  return { name, datatype, shape, data: numbers } as Tensor
}

/** Encodes a tensor as bytes: little-endian, row-major; for BYTES each text in UTF-8 after its length (u32). */
export function tensorBytes(tensor: Tensor): Buffer {
  const { data } = tensor
  if (tensor.datatype !== 'BYTES') {
    const numbers = tensor.data
    return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  }
  const pieces: Buffer[] = []
  for (const text of data) {
    const bytes = Buffer.from(String(text))
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32LE(bytes.length)
    pieces.push(length, bytes)
  }
  return Buffer.concat(pieces)
}

/** Bytes of the length before each text. */
const LENGTH_BYTES = 4

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textsOfBytes(name: string, bytes: Uint8Array): string[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const texts: string[] = []
  let at = 0
  while (at < view.length) {
    const start = at + LENGTH_BYTES
    const end = start <= view.length ? start + view.readUInt32LE(at) : Infinity
    if (end > view.length) throw invalid(name, `its bytes are cut short in element ${texts.length}`)
    try {
      texts.push(utf8.decode(view.subarray(start, end)))
    } catch (error) {
      throw invalid(name, `element ${texts.length} is not UTF-8`, error)
    }
    at = end
  }
  return texts
}

function textsOfJson(name: string, data: unknown): string[] {
  return flatten(name, data).map((element, index) => {
    if (typeof element !== 'string') throw invalid(name, `element ${index} is ${kindOf(element)}, a text is wanted`)
    return element
  })
}

function numbersOfJson(name: string, datatype: NumberDatatype, elements: readonly unknown[]) {
  const kind = NUMBER_ARRAYS[datatype]
  const isBigint = kind === BigInt64Array || kind === BigUint64Array
  const numbers = new kind(elements.length)
  for (const [index, element] of elements.entries()) {
    const value = datatype === 'BOOL' && typeof element === 'boolean' ? Number(element) : element
    if (typeof value !== 'number') throw invalid(name, `element ${index} is ${kindOf(element)}, ${datatype} is wanted`)
    if (isBigint && !Number.isSafeInteger(value)) throw outOfRange(name, datatype, index)
    numbers[index] = isBigint ? BigInt(value) : value
    // Integer arrays wrap numbers that they cannot hold, so these are refused; only rounding to float32 is allowed.
    const isKept = datatype === 'FP32' ? Number.isFinite(Number(numbers[index])) : Number(numbers[index]) === value
    if (!isKept || (datatype === 'BOOL' && value > 1)) throw outOfRange(name, datatype, index)
  }
  return numbers
}

/** Elements of nested arrays, row-major. The protocol does not require the nesting to match the shape. */
function flatten(name: string, data: unknown): readonly unknown[] {
  if (!Array.isArray(data)) throw invalid(name, `its data is ${kindOf(data)}, an array is wanted`)
  return data.some(Array.isArray) ? data.flat(MAX_RANK) : data
}

/** Maximum nesting of data. */
const MAX_RANK = 8

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function assertCount(name: string, found: number, wanted: number): void {
  if (found !== wanted) throw invalid(name, `it has ${found} elements, its shape wants ${wanted}`)
}

function outOfRange(name: string, datatype: Datatype, index: number): ServiceError {
  return invalid(name, `element ${index} does not fit ${datatype}`)
}

function invalid(name: string, found: string, cause?: unknown): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot read input "${name}": ${found}`, { cause })
}

function namesOf<Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys widens the keys of a constant
  return Object.keys(record) as Name[]
}
