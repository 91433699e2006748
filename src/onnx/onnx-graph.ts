/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DATA_TYPE, EXTERNAL_LOCATION, modelProto } from './onnx-schema.ts'

type DataTypeName = keyof typeof DATA_TYPE

/** Name of a value in a graph under construction: an output of one node and an input of others. */
export type Value = string

/** Attributes of a node; a bare number is written as a float, `{int: 1}` as an integer. */
type Attributes = Readonly<Record<string, number | { readonly int: number }>>

const ATTRIBUTE_TYPE = { float: 1, int: 2 } as const

/** Smaller constants stay in the graph: in a weights file, each constant begins a new page. */
const LEAST_EXTERNAL_BYTES = 16_384
const PAGE_BYTES = 4096

/** Where the bytes of a constant lie, relative to the model's folder. */
interface ExternalPlace {
  readonly location: string
  readonly offset: number
  readonly length: number
}

/**
 * A file of constants that several graphs share. onnxruntime maps it into memory, so all sessions that read it share
 * its pages.
 */
export class WeightsFile {
  readonly name: string
  readonly #places = new Map<string, ExternalPlace>()
  readonly #parts: Uint8Array[] = []
  #byteLength = 0

  /** @param name name of the file, in the folder of the graphs */
  constructor(name: string) {
    this.name = name
  }

  /** Adds a constant unless one of that name is there; returns its location. */
  add(constantName: string, bytes: Uint8Array): ExternalPlace {
    const existing = this.#places.get(constantName)
    if (existing !== undefined) return existing
    const place = { location: this.name, offset: this.#byteLength, length: bytes.length }
    this.#places.set(constantName, place)
    const padding = new Uint8Array(-bytes.length & (PAGE_BYTES - 1))
    this.#parts.push(bytes, padding)
    this.#byteLength += bytes.length + padding.length
    return place
  }

  toBytes(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

/**
 * Builds one ONNX model node by node. Each method that adds something returns the name of the new value, so that a
 * graph reads as an expression.
 */
export class OnnxGraph {
  readonly #weights: WeightsFile | undefined
  readonly #nodes: object[] = []
  readonly #initializers: object[] = []
  readonly #initializerNames = new Set<string>()
  readonly #inputs: object[] = []
  readonly #outputs: object[] = []
  #valueCount = 0

  /** @param weights a file beside the model for the large constants; several graphs may share it */
  constructor(weights?: WeightsFile) {
    this.#weights = weights
  }

  /** Declares an input; a dimension is a fixed size or the name of one that is known at run time. */
  input(name: string, type: DataTypeName, shape: readonly (number | string)[]): Value {
    this.#inputs.push(valueInfo(name, type, shape))
    return name
  }

  /** Declares `value` as an output of the graph. */
  output(value: Value, type: DataTypeName, shape: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(value, type, shape))
  }

  /**
   * Adds a constant, once for each name. Its bytes are those of `data`, row-major, little-endian; large constants go
   * into the weights file, if there is one.
   * @param file weights file to use in place of the graph's own
   */
  constant(
    name: string,
    type: DataTypeName,
    shape: readonly number[],
    data: ArrayBufferView,
    file = this.#weights
  ): Value {
    if (this.#initializerNames.has(name)) return name
    this.#initializerNames.add(name)
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const tensor = { name, data_type: DATA_TYPE[type], dims: shape }
    const isExternal = file !== undefined && bytes.length >= LEAST_EXTERNAL_BYTES
    this.#initializers.push(
      isExternal ? { ...tensor, ...externalData(file.add(name, bytes)) } : { ...tensor, raw_data: bytes }
    )
    return name
  }

  /** Adds a float constant; `shape` defaults to one dimension. */
  floats(name: string, data: Float32Array, shape: readonly number[] = [data.length]): Value {
    return this.constant(name, 'float', shape, data)
  }

  /** Adds an int64 constant of one dimension (shapes, axes). */
  int64s(name: string, data: readonly number[]): Value {
    return this.constant(name, 'int64', [data.length], BigInt64Array.from(data, BigInt))
  }

  /** Adds a node with one output and returns that output; `output` names it where the name matters. */
  node(type: string, inputs: readonly Value[], attributes: Attributes = {}, domain = '', output?: Value): Value {
    const value = output ?? this.#newValue()
    this.#addNode(type, inputs, [value], attributes, domain)
    return value
  }

  /** Adds a node with several outputs. */
  nodeWithOutputs(
    type: string,
    inputs: readonly Value[],
    outputCount: number,
    attributes: Attributes = {},
    domain = ''
  ): Value[] {
    const outputs = Array.from({ length: outputCount }, () => this.#newValue())
    this.#addNode(type, inputs, outputs, attributes, domain)
    return outputs
  }

  #newValue(): Value {
    this.#valueCount += 1
    return `value_${this.#valueCount}`
  }

  #addNode(
    type: string,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes: Attributes,
    domain: string
  ): void {
    this.#nodes.push({
      name: `${type}_${this.#nodes.length}`,
      op_type: type,
      domain,
      input: inputs,
      output: outputs,
      attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value))
    })
  }

  /** The finished model as the bytes of an `.onnx` file. */
  toBytes(graphName = 'graph'): Uint8Array {
    return modelProto
      .encode({
        ir_version: 9,
        producer_name: 'sbert-service',
        opset_import: [
          { domain: '', version: 19 },
          { domain: 'com.microsoft', version: 1 }
        ],
        graph: {
          name: graphName,
          node: this.#nodes,
          initializer: this.#initializers,
          input: this.#inputs,
          output: this.#outputs
        }
      })
      .finish()
  }
}

function externalData(place: ExternalPlace): object {
  const entries = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }))
  return { data_location: EXTERNAL_LOCATION, external_data: entries }
}

function valueInfo(name: string, type: DataTypeName, shape: readonly (number | string)[]): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }))
  return { name, type: { tensor_type: { elem_type: DATA_TYPE[type], shape: { dim } } } }
}

function attributeProto(name: string, value: number | { readonly int: number }): object {
  return typeof value === 'number'
    ? { name, type: ATTRIBUTE_TYPE.float, f: value }
    : { name, type: ATTRIBUTE_TYPE.int, i: value.int }
}
