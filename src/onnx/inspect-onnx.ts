/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DATA_TYPE, EXTERNAL_LOCATION, modelProto } from './onnx-schema.ts'
import { isZipMap, needsLocale } from './prepared-model.ts'

/** An input or output of a model. */
export interface OnnxValue {
  readonly name: string
  /** Undefined for a type outside {@link DATA_TYPE} and for what is not a tensor. */
  readonly type: keyof typeof DATA_TYPE | undefined
  /** A size that is undefined is free. */
  readonly shape: readonly (number | undefined)[]
}

/** Inputs and outputs of a model, as far as the file declares them. */
export interface OnnxSummary {
  readonly inputs: readonly OnnxValue[]
  /** Outputs of a ZipMap are listed as the tensors with which `preparedModel` replaces them. */
  readonly outputs: readonly OnnxValue[]
  /** Present when the model must go through `preparedModel` before it runs. */
  readonly needsPreparation?: true
}

/** Result of inspecting a file. */
export type Inspection =
  | { readonly outcome: 'accepted'; readonly summary: OnnxSummary }
  /** What is wrong, one line each. */
  | { readonly outcome: 'refused'; readonly problems: readonly string[] }

/** Maximum number of nodes: they are only read here, but each becomes an object. */
const MAX_NODES = 50_000
/** Maximum nesting of graphs: bodies of If, Loop and Scan. */
const MAX_DEPTH = 8
const MAX_PROBLEMS_LISTED = 20

/**
 * The operator sets of the standard; others are a vendor's or for training. A set that is imported but not used is
 * accepted.
 */
const STANDARD_DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml'])

/**
 * Accepted operators, all pure functions of their inputs. Not accepted are operators that draw random numbers, since a
 * version must answer the same each time, those that decode images, and those of later standards.
 */
const TAKEN_OPERATORS = new Set(
  `Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitShift BitwiseAnd BitwiseNot
  BitwiseOr BitwiseXor Cast CastLike Ceil Celu Clip Compress Concat Constant ConstantOfShape Conv ConvInteger Cos Cosh
  CumSum DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten
  Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization
  HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less
  LessOrEqual Log LogSoftmax Loop LpNormalization MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod
  Mul Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range Reciprocal
  ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
  RegexFullMatch Relu Reshape ReverseSequence Round Scan ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh
  Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze StringConcat StringNormalizer StringSplit Sub Sum Tan
  Tanh TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Where Xor
  ArrayFeatureExtractor Binarizer CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder LinearClassifier
  LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier
  TreeEnsembleRegressor`.split(/\s+/)
)

/** Accepted operators of vendors: they draw no random numbers and read no file. skl2onnx writes them for TF-IDF. */
const TAKEN_OF_VENDORS = new Set(['com.microsoft Tokenizer'])
const ZIP_MAP_HINT = 'write the model without it: skl2onnx has options={"zipmap": False}'

/** An int64, as protobufjs reads it. */
type Int64 = number | { toNumber(): number }

interface TensorProto {
  readonly data_location: number
  readonly external_data: readonly unknown[]
}
interface SparseTensorProto {
  readonly values: TensorProto | null
  readonly indices: TensorProto | null
}
interface AttributeProto {
  readonly t: TensorProto | null
  readonly g: GraphProto | null
  readonly tensors: readonly TensorProto[]
  readonly graphs: readonly GraphProto[]
  readonly sparse_tensor: SparseTensorProto | null
  readonly sparse_tensors: readonly SparseTensorProto[]
}
interface NodeProto {
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly op_type: string
  readonly domain: string
  readonly attribute: readonly AttributeProto[]
}
interface ValueInfoProto {
  readonly name: string
  readonly type: {
    readonly tensor_type: {
      readonly elem_type: number
      readonly shape: { readonly dim: readonly { readonly value?: string; readonly dim_value: Int64 }[] } | null
    } | null
  } | null
}
interface GraphProto {
  readonly node: readonly NodeProto[]
  readonly initializer: readonly (TensorProto & { readonly name: string })[]
  readonly sparse_initializer: readonly SparseTensorProto[]
  readonly input: readonly ValueInfoProto[]
  readonly output: readonly ValueInfoProto[]
}
interface ModelProto {
  readonly graph: GraphProto | null
  readonly opset_import: readonly { readonly domain: string }[]
  readonly functions: readonly unknown[]
}

/**
 * Inspects an ONNX file without loading or running the model: its operators, their vendors, and whether it refers to
 * other files. Its constants are not copied.
 */
export function inspectOnnx(bytes: Uint8Array): Inspection {
  let model: ModelProto
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the message is as onnx-schema.ts declares it, which types do not know
    model = modelProto.decode(bytes) as unknown as ModelProto
  } catch {
    return refused(['it is no ONNX file: it cannot be read as one'])
  }
  const { graph } = model
  if (graph === null || graph.node.length === 0) return refused(['it is no ONNX file: it has no graph'])
  const findings = new Findings()
  findings.addModel(model)
  findings.addGraph(graph, 0)
  const problems = findings.problems()
  return problems.length > 0 ? refused(problems) : { outcome: 'accepted', summary: summaryOf(graph) }
}

function refused(problems: readonly string[]): Inspection {
  return { outcome: 'refused', problems }
}

/** Collects the problems of a model, each kind once. */
class Findings {
  readonly #nodeCountByProblem = new Map<string, number>()
  readonly #problems = new Set<string>()
  /** Nodes that `preparedModel` replaces before the model runs. */
  readonly #replaced = new Set<NodeProto>()
  #nodeCount = 0

  addModel({ functions, graph, opset_import: sets }: ModelProto): void {
    if (graph !== null) {
      const replaceable = sets.some(({ domain }) => domain === '' || domain === 'ai.onnx') ? zipMapsAtTheEnd(graph) : []
      for (const node of replaceable) this.#replaced.add(node)
    }
    if (functions.length > 0) this.#problems.add('functions of its own are not taken: inline them')
  }

  addGraph(graph: GraphProto, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.#problems.add(`graphs within graphs are more than ${MAX_DEPTH} deep`)
      return
    }
    this.#nodeCount += graph.node.length
    for (const tensor of graph.initializer) this.#addTensor(tensor)
    for (const tensor of graph.sparse_initializer) this.#addSparseTensor(tensor)
    for (const node of graph.node) {
      this.#addOperator(node)
      for (const { t, g, tensors, graphs, sparse_tensor: sparse, sparse_tensors: sparses } of node.attribute) {
        for (const tensor of t === null ? tensors : [t, ...tensors]) this.#addTensor(tensor)
        for (const tensor of sparse === null ? sparses : [sparse, ...sparses]) this.#addSparseTensor(tensor)
        for (const body of g === null ? graphs : [g, ...graphs]) this.addGraph(body, depth + 1)
      }
    }
  }

  problems(): string[] {
    if (this.#nodeCount > MAX_NODES) this.#problems.add(`it has ${this.#nodeCount} operators, at most ${MAX_NODES}`)
    const all = [
      ...Array.from(this.#nodeCountByProblem, ([problem, count]) => `${problem} (${count} times)`).toSorted(),
      ...this.#problems
    ]
    if (all.length <= MAX_PROBLEMS_LISTED) return all
    return [...all.slice(0, MAX_PROBLEMS_LISTED), `and ${all.length - MAX_PROBLEMS_LISTED} more`]
  }

  #addOperator(node: NodeProto): void {
    const { op_type: operator, domain } = node
    if (STANDARD_DOMAINS.has(domain) && TAKEN_OPERATORS.has(operator)) return
    if (TAKEN_OF_VENDORS.has(`${domain} ${operator}`) || this.#replaced.has(node)) return
    const owner = domain === '' ? '' : ` of ${shown(domain)}`
    const hint = isZipMap(node) ? ` here: ${ZIP_MAP_HINT}` : ''
    const problem = `operator ${shown(operator)}${owner} is not taken${hint}`
    this.#nodeCountByProblem.set(problem, (this.#nodeCountByProblem.get(problem) ?? 0) + 1)
  }

  #addTensor({ data_location: location, external_data: places }: TensorProto): void {
    if (location === EXTERNAL_LOCATION || places.length > 0) {
      this.#problems.add('constants in other files are not taken: save it as one file')
    }
  }

  #addSparseTensor({ values, indices }: SparseTensorProto): void {
    if (values !== null) this.#addTensor(values)
    if (indices !== null) this.#addTensor(indices)
  }
}

/** A name from the file, shown where it looks like a name. */
function shown(name: string): string {
  return /^[\w.:-]{1,80}$/.test(name) ? name : '(not a name)'
}

/** ZipMap nodes whose maps are used as outputs of the model only. */
function zipMapsAtTheEnd(graph: GraphProto): readonly NodeProto[] {
  const taken = new Set(graph.node.flatMap(({ input }) => input))
  const given = new Set(graph.output.map(({ name }) => name))
  return graph.node.filter((node) => isZipMap(node) && node.output.every((name) => given.has(name) && !taken.has(name)))
}

function summaryOf(graph: GraphProto): OnnxSummary {
  // Before IR version 4, constants were also listed as inputs: they were the inputs' defaults.
  const constants = new Set(graph.initializer.map(({ name }) => name))
  const zipped = new Set(graph.node.filter(isZipMap).flatMap(({ output }) => output))
  return {
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(valueOf),
    outputs: graph.output.map((output) =>
      zipped.has(output.name) ? { name: output.name, type: 'float', shape: [undefined, undefined] } : valueOf(output)
    ),
    ...(graph.node.some((node) => isZipMap(node) || needsLocale(node)) && { needsPreparation: true })
  }
}

function valueOf({ name, type }: ValueInfoProto): OnnxValue {
  const tensor = type?.tensor_type
  const known = Object.entries(DATA_TYPE).find(([, code]) => code === tensor?.elem_type)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries widens the keys of a constant
  const typeName = known?.[0] as keyof typeof DATA_TYPE | undefined
  const shape = (tensor?.shape?.dim ?? []).map(({ value, dim_value: size }) => {
    if (value !== 'dim_value') return undefined
    const count = typeof size === 'number' ? size : size.toNumber()
    return count > 0 ? count : undefined
  })
  return { name, type: typeName, shape }
}
