/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { OnnxSummary, OnnxValue } from '../onnx/inspect-onnx.ts'
import type { Column, Signature } from '../table/signature.ts'

/** Binding of the features to the inputs of a model that a user uploaded, and of its probabilities to an output. */
export interface OnnxBinding {
  readonly inputs:
    | {
        /** One matrix, rows × width: the embeddings of the texts, then the numbers, in the signature's order. */
        readonly kind: 'matrix'
        readonly name: string
        readonly type: 'float32' | 'float64' | 'int64'
      }
    | { readonly kind: 'columns'; readonly columns: readonly BoundColumn[] }
  /** Probabilities, rows × classes. */
  readonly output: string
  /** Classes in the order of the output's columns. */
  readonly classIds: readonly string[]
}

/** A feature with an input of its own. A text goes into `string` as it is, into another type as its embedding. */
export interface BoundColumn {
  readonly name: string
  readonly type: 'float32' | 'float64' | 'int64' | 'string'
  /** Whether its shape is `[n]`, not `[n, 1]`. */
  readonly isFlat: boolean
}

/** A user's description of an uploaded model. */
export interface OnnxSignature extends Signature {
  readonly classIds: readonly string[]
  /** Name of the output with the probabilities. @default the only possible one */
  readonly output?: string
}

/** Outcome of {@link bindOnnx}. */
export type Bound =
  | { readonly outcome: 'bound'; readonly binding: OnnxBinding }
  /** What was found and what is expected, one line each. */
  | { readonly outcome: 'refused'; readonly problems: readonly string[] }

/** Type of the values that are sent for each element type of an input. */
const RUN_TYPES: Partial<Record<NonNullable<OnnxValue['type']>, BoundColumn['type']>> = {
  float: 'float32',
  double: 'float64',
  int64: 'int64',
  string: 'string'
}

/**
 * Binds the features to the inputs of a model, and finds the output with the probabilities. A model takes one matrix of
 * numbers, or each feature as an input of the same name.
 * @param dimensions dimensions of a text's embedding
 */
export function bindOnnx(
  { inputs, outputs }: OnnxSummary,
  { features, classIds, output }: OnnxSignature,
  dimensions: number
): Bound {
  const problems = inputs.flatMap(({ name, shape }) =>
    shape[0] === undefined ? [] : [`input ${name} takes exactly ${shape[0]} rows: leave its first dimension free`]
  )
  const [only] = inputs
  const isMatrix = inputs.length === 1 && only?.shape.length === 2 && (isFloat(only) || isWholeNumbers(only, features))
  const bound = isMatrix ? bindMatrix(only, features, dimensions) : bindColumns(inputs, features, dimensions)
  const probabilities = findOutput(outputs, output, classIds.length)
  for (const found of [bound, probabilities]) if ('problems' in found) problems.push(...found.problems)
  if (problems.length > 0 || 'problems' in bound || 'problems' in probabilities) return { outcome: 'refused', problems }
  return { outcome: 'bound', binding: { inputs: bound, output: probabilities.name, classIds } }
}

type Problems = { readonly problems: readonly string[] }

function bindMatrix(
  input: OnnxValue,
  features: readonly Column[],
  dimensions: number
): OnnxBinding['inputs'] | Problems {
  const width = features.reduce((sum, { type }) => sum + (type === 'text' ? dimensions : 1), 0)
  const found = input.shape[1]
  if (found !== undefined && found !== width) {
    return { problems: [`input ${input.name} is ${found} wide, the signature's features are ${width}`] }
  }
  const type = input.type === 'double' ? 'float64' : input.type === 'int64' ? 'int64' : 'float32'
  return { kind: 'matrix', name: input.name, type }
}

/** Whether an input takes whole numbers and is not a feature of that name. */
function isWholeNumbers({ name, type }: OnnxValue, features: readonly Column[]): boolean {
  return type === 'int64' && !features.some((feature) => feature.name === name || feature.type === 'text')
}

function bindColumns(
  inputs: readonly OnnxValue[],
  features: readonly Column[],
  dimensions: number
): OnnxBinding['inputs'] | Problems {
  const problems = inputs
    .filter(({ name }) => !features.some((feature) => feature.name === name))
    .map(({ name }) => `input ${name} is no feature of the signature`)
  const columns: BoundColumn[] = []
  for (const feature of features) {
    const input = inputs.find(({ name }) => name === feature.name)
    const column = input && bindColumn(input, feature, dimensions)
    if (column !== undefined) columns.push(column)
    else if (input === undefined) problems.push(`feature ${feature.name} is no input of the model`)
    else problems.push(`input ${feature.name} is of a type or shape that a ${feature.type} does not have`)
  }
  return problems.length > 0 ? { problems } : { kind: 'columns', columns }
}

function bindColumn({ name, type, shape }: OnnxValue, feature: Column, dimensions: number): BoundColumn | undefined {
  const runType = type && RUN_TYPES[type]
  if (runType === undefined || shape.length === 0 || shape.length > 2) return undefined
  const isFlat = shape.length === 1
  const width = isFlat ? 1 : shape[1]
  const isEmbedding = feature.type === 'text' && runType !== 'string'
  if (feature.type === 'number' && runType === 'string') return undefined
  if (isEmbedding && (isFlat || runType === 'int64')) return undefined
  if (width !== undefined && width !== (isEmbedding ? dimensions : 1)) return undefined
  return { name, type: runType, isFlat }
}

function findOutput(
  outputs: readonly OnnxValue[],
  wanted: string | undefined,
  classCount: number
): OnnxValue | Problems {
  // Sizes that the file does not declare are checked by the trial run.
  const fitting = outputs.filter(
    (value) => isFloat(value) && [0, 2].includes(value.shape.length) && (value.shape[1] ?? classCount) === classCount
  )
  const chosen = wanted === undefined ? fitting : fitting.filter(({ name }) => name === wanted)
  const [first] = chosen
  if (first !== undefined && chosen.length === 1) return first
  const found = outputs.map(
    ({ name, type, shape }) => `${name} ${type ?? '?'}[${shape.map((size) => size ?? 'n').join(',')}]`
  )
  const what = `a float output of shape [n,${classCount}]${wanted === undefined ? '' : ` named ${wanted}`}`
  return {
    problems: [
      `${chosen.length === 0 ? `${what} is wanted` : `name the output, several could be it`}; found ${found.join(', ')}`
    ]
  }
}

function isFloat({ type }: OnnxValue): boolean {
  return type === 'float' || type === 'double'
}
