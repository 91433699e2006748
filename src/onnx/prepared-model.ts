/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import protobuf from 'protobufjs'
import { attributeProto, DATA_TYPE, nodeProto, valueInfoProto } from './onnx-schema.ts'

/** Field numbers of onnx.proto3. */
const FIELD = { modelGraph: 7, graphNode: 1, graphOutput: 12, graphValueInfo: 13, nodeAttribute: 5 } as const
const LENGTH_DELIMITED = 2
/** `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPE = { int: 2, string: 3 } as const
/** A locale that is part of the C library itself. */
const LOCALE = 'C.UTF-8'

/** The fields of a node that are read here. */
interface Node {
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly name: string
  readonly op_type: string
  readonly domain: string
}

/** Whether a node turns a row of probabilities into a map by class, which skl2onnx adds by default. */
export function isZipMap({ op_type: operator, domain }: Pick<Node, 'op_type' | 'domain'>): boolean {
  return operator === 'ZipMap' && domain === 'ai.onnx.ml'
}

/** Whether a node normalizes texts by a locale. The machine may lack that locale, so C.UTF-8 replaces it. */
export function needsLocale({ op_type: operator }: Pick<Node, 'op_type'>): boolean {
  return operator === 'StringNormalizer'
}

/**
 * Rewrites a model so that it runs here. A ZipMap becomes a Cast with an output of the same name: the tensor that would
 * have become a map, as floats (also where the model has doubles). Text normalization uses a locale that every machine
 * has. Everything else stays byte for byte.
 * @param bytes a model that `inspectOnnx` has accepted
 */
export function preparedModel(bytes: Uint8Array): Uint8Array {
  return edited(bytes, (field, graph) => (field === FIELD.modelGraph ? editedGraph(graph) : graph))
}

function editedGraph(graph: Uint8Array): Uint8Array {
  const zipped = new Set<string>()
  edited(graph, (field, payload) => {
    if (field === FIELD.graphNode) {
      const node = nodeIn(payload)
      if (isZipMap(node)) for (const name of node.output) zipped.add(name)
    }
    return payload
  })
  return edited(graph, (field, payload) => {
    if (field === FIELD.graphNode) {
      const { input, output, name, ...kind } = nodeIn(payload)
      if (needsLocale(kind)) return withLocale(payload)
      if (!isZipMap(kind)) return payload
      const attribute = [{ name: 'to', type: ATTRIBUTE_TYPE.int, i: DATA_TYPE.float }]
      return nodeProto.encode(nodeProto.create({ input, output, name, op_type: 'Cast', attribute })).finish()
    }
    if (field !== FIELD.graphOutput && field !== FIELD.graphValueInfo) return payload
    const name = nameIn(payload)
    if (!zipped.has(name)) return payload
    const shape = { dim: [{ dim_param: 'rows' }, { dim_param: 'classes' }] }
    const type = { tensor_type: { elem_type: DATA_TYPE.float, shape } }
    return valueInfoProto.encode(valueInfoProto.create({ name, type })).finish()
  })
}

function withLocale(node: Uint8Array): Uint8Array {
  const locale = attributeProto.create({ name: 'locale', type: ATTRIBUTE_TYPE.string, s: Buffer.from(LOCALE) })
  const wanted = attributeProto.encode(locale).finish()
  let isSet = false
  const changed = edited(node, (field, payload) => {
    if (field !== FIELD.nodeAttribute || nameIn(payload) !== 'locale') return payload
    isSet = true
    return wanted
  })
  if (isSet) return changed
  const tag = (FIELD.nodeAttribute << 3) | LENGTH_DELIMITED
  return Buffer.concat([node, protobuf.Writer.create().uint32(tag).bytes(wanted).finish()])
}

function nodeIn(payload: Uint8Array): Node {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the message is as onnx-schema.ts declares it, which types do not know
  return nodeProto.decode(payload) as unknown as Node
}

/** Name of a value or an attribute: the first field of both. */
function nameIn(payload: Uint8Array): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return (valueInfoProto.decode(payload) as unknown as { name: string }).name
}

/** Replaces the contents of some fields of a message; fields that the schema does not name stay too. */
function edited(bytes: Uint8Array, edit: (field: number, payload: Uint8Array) => Uint8Array): Uint8Array {
  const reader = protobuf.Reader.create(bytes)
  const pieces: Uint8Array[] = []
  while (reader.pos < bytes.length) {
    const start = reader.pos
    const tag = reader.uint32()
    if ((tag & 7) === LENGTH_DELIMITED) {
      const payload = reader.bytes()
      const replaced = edit(tag >>> 3, payload)
      if (replaced !== payload) {
        pieces.push(protobuf.Writer.create().uint32(tag).bytes(replaced).finish())
        continue
      }
    } else {
      reader.skipType(tag & 7)
    }
    pieces.push(bytes.subarray(start, reader.pos))
  }
  return Buffer.concat(pieces)
}
