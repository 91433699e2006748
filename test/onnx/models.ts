/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { OnnxGraph } from '../../src/onnx/onnx-graph.ts'
import { modelProto } from '../../src/onnx/onnx-schema.ts'

/** Probabilities of two classes from three features: softmax of x·W. */
export function linearModel(): Uint8Array {
  const graph = new OnnxGraph()
  const features = graph.input('features', 'float', ['n', 3])
  const weights = graph.floats('weights', Float32Array.of(1, 0, 0, 1, 0, 0), [3, 2])
  const logits = graph.node('MatMul', [features, weights])
  graph.output(graph.node('Softmax', [logits], { axis: { int: 1 } }, '', 'probabilities'), 'float', ['n', 2])
  return graph.toBytes()
}

/** The {@link linearModel}, behind a tensor of so many bytes. */
export function greedyModel(byteLength: number): Uint8Array {
  const graph = new OnnxGraph()
  const features = graph.input('features', 'float', ['n', 3])
  const shape = graph.int64s('shape', [byteLength / Float32Array.BYTES_PER_ELEMENT])
  const great = graph.node('ConstantOfShape', [shape])
  // Of the zeros only the sum is used, which is 0.
  const zero = graph.node('ReduceSum', [graph.node('Add', [great, great])], { keepdims: { int: 0 } })
  const weights = graph.floats('weights', Float32Array.of(1, 0, 0, 1, 0, 0), [3, 2])
  const logits = graph.node('Add', [graph.node('MatMul', [features, weights]), zero])
  graph.output(graph.node('Softmax', [logits], { axis: { int: 1 } }, '', 'probabilities'), 'float', ['n', 2])
  return graph.toBytes()
}

/** Two outputs from so many features, each the mean of them: no probabilities before a softmax. */
export function logitsModel(width: number, hasSoftmax: boolean): Uint8Array {
  const graph = new OnnxGraph()
  const features = graph.input('features', 'float', ['n', width])
  const weights = graph.floats('weights', new Float32Array(width * 2).fill(1 / width), [width, 2])
  const logits = graph.node('Add', [
    graph.node('MatMul', [features, weights]),
    graph.floats('bias', Float32Array.of(2, 3))
  ])
  graph.output(hasSoftmax ? graph.node('Softmax', [logits], { axis: { int: 1 } }) : logits, 'float', ['n', 2])
  return graph.toBytes()
}

/** Says of `text` whether it is `yes`: probabilities 0 and 1. */
export function textModel(): Uint8Array {
  return modelOf(
    {
      node: [
        nodeOf('RegexFullMatch', ['text'], 'is_yes', [
          { name: 'pattern', type: STRING_ATTRIBUTE, s: Buffer.from('yes') }
        ]),
        nodeOf('Cast', ['is_yes'], 'yes', [{ name: 'to', type: INT_ATTRIBUTE, i: FLOAT }]),
        nodeOf('Sub', ['one', 'yes'], 'no'),
        nodeOf('Concat', ['no', 'yes'], 'probabilities', [{ name: 'axis', type: INT_ATTRIBUTE, i: 1 }])
      ],
      initializer: [{ name: 'one', data_type: FLOAT, raw_data: Buffer.from(Float32Array.of(1).buffer) }],
      input: [value('text', STRING, ['n', 1])],
      output: [value('probabilities', FLOAT, ['n', 2])]
    },
    { opset_import: [{ domain: '', version: 20 }] }
  )
}

function nodeOf(operator: string, input: readonly string[], output: string, attribute: readonly object[] = []) {
  return { op_type: operator, input, output: [output], attribute }
}

const FLOAT = 1
const STRING = 8
const STRING_ATTRIBUTE = 3
const INT64 = 7
const BOOL = 9
const INT_ATTRIBUTE = 2
const GRAPH_ATTRIBUTE = 5

function value(name: string, elementType: number, sizes: readonly (number | string)[]) {
  const dim = sizes.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }))
  return { name, type: { tensor_type: { elem_type: elementType, shape: { dim } } } }
}

/** Bytes of a model of which only the graph is given, for what {@link OnnxGraph} does not write. */
export function modelOf(graph: object, rest: object = {}): Uint8Array {
  const model = {
    ir_version: 9,
    opset_import: [{ domain: '', version: 19 }],
    graph: { name: 'graph', ...graph },
    ...rest
  }
  return modelProto.encode(model).finish()
}

/** A model of one operator, `features` to `probabilities`. */
export function modelWithOperator(operator: string, domain = '', rest: object = {}): Uint8Array {
  const node = { op_type: operator, domain, input: ['features'], output: ['probabilities'] }
  const graph = {
    node: [node],
    input: [value('features', FLOAT, ['n', 2])],
    output: [value('probabilities', FLOAT, ['n', 2])]
  }
  return modelOf(graph, rest)
}

/** Adds `features` to themselves in a Loop of so many rounds. */
export function loopModel(roundCount: number, bodyOperator = 'Add'): Uint8Array {
  const body = {
    name: 'body',
    node: [
      { op_type: 'Identity', input: ['going'], output: ['still_going'] },
      { op_type: bodyOperator, input: ['x', 'x'], output: ['next'] }
    ],
    input: [value('round', INT64, []), value('going', BOOL, []), value('x', FLOAT, ['n', 2])],
    output: [value('still_going', BOOL, []), value('next', FLOAT, ['n', 2])]
  }
  const rounds = Buffer.alloc(8)
  rounds.writeBigInt64LE(BigInt(roundCount))
  return modelOf({
    node: [
      {
        op_type: 'Loop',
        input: ['rounds', 'always', 'features'],
        output: ['probabilities'],
        attribute: [{ name: 'body', type: GRAPH_ATTRIBUTE, g: body }]
      }
    ],
    initializer: [
      { name: 'rounds', data_type: INT64, raw_data: rounds },
      { name: 'always', data_type: BOOL, raw_data: Buffer.of(1) }
    ],
    input: [value('features', FLOAT, ['n', 2])],
    output: [value('probabilities', FLOAT, ['n', 2])]
  })
}

/** A model that holds a graph in a graph, so many deep. */
export function nestedModel(depth: number): Uint8Array {
  let graph: object = { name: 'leaf', node: [{ op_type: 'Identity' }] }
  for (let level = 0; level < depth; level += 1) {
    const attribute = [
      { name: 'then_branch', type: GRAPH_ATTRIBUTE, g: graph },
      { name: 'axis', type: INT_ATTRIBUTE, i: 0 }
    ]
    graph = { name: 'branch', node: [{ op_type: 'If', attribute }] }
  }
  return modelOf(graph)
}

/** A model of graphs in graphs that no library would write. */
export function deepModel(depth: number): Uint8Array {
  let graph: Buffer = Buffer.alloc(0)
  // GraphProto.node, NodeProto.attribute, AttributeProto.g.
  for (let level = 0; level < depth; level += 1) graph = field(1, field(5, field(6, graph)))
  return field(7, graph)
}

/** A field of protobuf that holds bytes. */
function field(number: number, content: Buffer): Buffer {
  const head = [(number << 3) | 2]
  let rest = content.length
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.of(...head, rest), content])
}
