/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Type codes of ONNX's `TensorProto.DataType`. */
const TENSOR_TYPE = { float32: 1, int64: 7 } as const

/** A tensor that goes into or comes out of a graph. Its sizes are free but for their number. */
export interface GraphValue {
  readonly name: string
  readonly type: keyof typeof TENSOR_TYPE
  readonly rank: number
}

/** One operation of ONNX's default domain; attributes are whole numbers. */
export interface GraphNode {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, number>>
}

export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly inputs: readonly GraphValue[]
  readonly outputs: readonly GraphValue[]
}

const IR_VERSION = 8
const OPERATOR_SET_VERSION = 17
const ATTRIBUTE_TYPE_INT = 2

/**
 * Writes a graph without weights as an ONNX model, for onnxruntime to load.
 *
 * An ONNX file is a protobuf message; of its fields these few graphs need a dozen, named here by their numbers.
 * Source: onnx/onnx.proto, messages ModelProto, GraphProto, NodeProto, AttributeProto, ValueInfoProto.
 */
export function encodeOnnxGraph(graph: Graph): Uint8Array {
  const graphProto = [
    ...graph.nodes.flatMap((node) => message(1, nodeProto(node))),
    ...text(2, 'graph'),
    ...graph.inputs.flatMap((value) => message(11, valueProto(value))),
    ...graph.outputs.flatMap((value) => message(12, valueProto(value)))
  ]
  return Uint8Array.from([
    ...integer(1, IR_VERSION),
    ...message(7, graphProto),
    ...message(8, [...text(1, ''), ...integer(2, OPERATOR_SET_VERSION)])
  ])
}

function nodeProto(node: GraphNode): number[] {
  return [
    ...node.inputs.flatMap((name) => text(1, name)),
    ...node.outputs.flatMap((name) => text(2, name)),
    ...text(4, node.operator),
    ...Object.entries(node.attributes ?? {}).flatMap(([name, value]) =>
      message(5, [...text(1, name), ...integer(3, value), ...integer(20, ATTRIBUTE_TYPE_INT)])
    )
  ]
}

function valueProto(value: GraphValue): number[] {
  const sizes = Array.from({ length: value.rank }, (_, axis) => message(1, text(2, `${value.name}_${axis}`)))
  const tensorType = [...integer(1, TENSOR_TYPE[value.type]), ...message(2, sizes.flat())]
  return [...text(1, value.name), ...message(2, message(1, tensorType))]
}

function varint(value: number): number[] {
  const bytes = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

function integer(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)]
}

function message(field: number, content: readonly number[]): number[] {
  return [...varint((field << 3) | 2), ...varint(content.length), ...content]
}

function text(field: number, value: string): number[] {
  return message(field, [...Buffer.from(value)])
}
