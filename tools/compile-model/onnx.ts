/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import protobuf from 'protobufjs'

/** Element types of ONNX tensors, by their number in `TensorProto.DataType`. */
export const DATA_TYPE = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const

type DataTypeName = keyof typeof DATA_TYPE

/** A named value of a graph under construction: what a node gives and the next one takes. */
export type Value = string

/** Attributes of a node; a bare number is written as a float, `{int: 1}` as an integer. */
type Attributes = Readonly<Record<string, number | { readonly int: number }>>

/** The part of ONNX's wire format that a graph of ours needs; names and field numbers are those of onnx.proto3. */
const SCHEMA = protobuf.parse(
  `syntax = "proto3";
  message AttributeProto { string name = 1; float f = 2; int64 i = 3; int32 type = 20; }
  message NodeProto { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated AttributeProto attribute = 5; string domain = 7; }
  message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; repeated StringStringEntryProto external_data = 13; int32 data_location = 14; }
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
  message TensorShapeProto { repeated Dimension dim = 1; }
  message TensorType { int32 elem_type = 1; TensorShapeProto shape = 2; }
  message TypeProto { TensorType tensor_type = 1; }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message GraphProto { repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5; repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message StringStringEntryProto { string key = 1; string value = 2; }
  message ModelProto { int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }`,
  { keepCase: true }
).root

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL_LOCATION = 1

const ATTRIBUTE_TYPE = { float: 1, int: 2 } as const

/**
 * Builds one ONNX model node by node.
 * Each method that adds something returns the name of what it gives, so that a graph reads as an expression.
 */
export class OnnxGraph {
  readonly #nodes: object[] = []
  readonly #initializers: object[] = []
  readonly #initializerNames = new Set<string>()
  readonly #inputs: object[] = []
  readonly #outputs: object[] = []
  #valueCount = 0

  /** Declares an input; a dimension is a fixed size or the name of one that is known at run time. */
  input(name: string, type: DataTypeName, shape: readonly (number | string)[]): Value {
    this.#inputs.push(valueInfo(name, type, shape))
    return name
  }

  /** Declares `value` as an output of the graph. */
  output(value: Value, type: DataTypeName, shape: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(value, type, shape))
  }

  /** Adds a constant, once for each name. Its bytes are those of `data`, row-major, little-endian. */
  constant(name: string, type: DataTypeName, shape: readonly number[], data: ArrayBufferView): Value {
    if (!this.#initializerNames.has(name)) {
      this.#initializerNames.add(name)
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      this.#initializers.push({ name, data_type: DATA_TYPE[type], dims: shape, raw_data: bytes })
    }
    return name
  }

  /** Adds a float constant; `shape` defaults to one dimension. */
  floats(name: string, data: Float32Array, shape: readonly number[] = [data.length]): Value {
    return this.constant(name, 'float', shape, data)
  }

  /**
   * Adds a float constant whose bytes are the whole of a file beside the model's.
   * @param location the file's name, relative to the model's folder
   */
  externalFloats(name: string, shape: readonly number[], location: string, byteLength: number): Value {
    const external = { location, offset: '0', length: String(byteLength) }
    this.#initializers.push({
      name,
      data_type: DATA_TYPE.float,
      dims: shape,
      data_location: EXTERNAL_LOCATION,
      external_data: Object.entries(external).map(([key, value]) => ({ key, value }))
    })
    return name
  }

  /** Adds an int64 constant of one dimension (shapes, axes). */
  int64s(name: string, data: readonly number[]): Value {
    return this.constant(name, 'int64', [data.length], BigInt64Array.from(data, BigInt))
  }

  /** Adds a node with one output and returns that; `output` names it where the name matters. */
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
  toBytes(): Uint8Array {
    const message = SCHEMA.lookupType('ModelProto')
    return message
      .encode({
        ir_version: 9,
        producer_name: 'sbert-service',
        opset_import: [
          { domain: '', version: 19 },
          { domain: 'com.microsoft', version: 1 }
        ],
        graph: {
          name: 'sentence-encoder',
          node: this.#nodes,
          initializer: this.#initializers,
          input: this.#inputs,
          output: this.#outputs
        }
      })
      .finish()
  }
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
