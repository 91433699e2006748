/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'

/**
 * Precisions of the linear layers: `fp32` by onnxruntime, `int8` by our own kernels (src/embedding/native), all of
 * which compute the same bytes.
 */
export const PRECISIONS = ['fp32', 'int8'] as const

/** See {@link PRECISIONS}. */
export type Precision = (typeof PRECISIONS)[number]

/**
 * Maximum number of sentences in a batch; the fp32 graph also takes fewer, down to one. Each sentence that the fp32
 * graph has room for makes a lone sentence a hundredth slower; six share the fixed cost of each node, and eight gained
 * nothing over six.
 */
export const MAX_BATCH_SENTENCES = 6

/** Name of the graph that onnxruntime runs. */
export const GRAPH_FILE = 'fp32.onnx'

/** Name of the file with the word embeddings, which both precisions share. */
export const WORD_EMBEDDINGS_FILE = 'word-embeddings.f16'

/** Name of the file with the weights of a precision. */
export function weightsFile(precision: Precision): string {
  return `${precision}.weights`
}

/** Files of a compiled model that a precision needs. */
export function filesOf(precision: Precision, description: ModelDescription): string[] {
  return Object.keys(description.files).filter(
    (name) => name.startsWith(`${precision}.`) || !PRECISIONS.some((other) => name.startsWith(`${other}.`))
  )
}

const Fraction = Type.Number({ minimum: -1, maximum: 1 })

const QualitySchema = Type.Object({
  sentences: Type.Integer(),
  meanCosine: Fraction,
  minCosine: Fraction,
  spearman: Fraction
})

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

/**
 * model.json of a compiled model: its name and sizes, the fingerprint of its sources, its quality, and the checksums of
 * its files.
 */
export const ModelDescriptionSchema = Type.Object({
  format: Type.Literal(2),
  name: Type.String({ minLength: 1 }),
  /** Digest of the source files and the compiler: see tools/compile-model/compile.ts. */
  fingerprint: Sha256,
  dimensions: Type.Integer({ minimum: 1 }),
  maxTokens: Type.Integer({ minimum: 3 }),
  /** SHA-256 of every other file of the folder. */
  files: Type.Record(Type.String(), Sha256),
  fp32: Type.Object({
    /** Compared with the vectors of the reference implementation. */
    quality: QualitySchema
  }),
  /** Absent when the model was compiled without a native encoder. */
  int8: Type.Optional(
    Type.Object({
      /** Compared with the same model in float32. */
      quality: QualitySchema,
      /** SHA-256 of the bytes of the golden sentences' embeddings: the same on every CPU. */
      goldenDigest: Sha256
    })
  ),
  /** Sentences whose embeddings are known; base64 of float32, little-endian. */
  golden: Type.Array(Type.Object({ sentence: Type.String(), embedding: Type.String() }), { minItems: 1 })
})

/** See {@link ModelDescriptionSchema}. */
export type ModelDescription = Static<typeof ModelDescriptionSchema>

/** Name of the description in a compiled model's folder. */
export const MODEL_DESCRIPTION_FILE = 'model.json'

/**
 * Reads model.json of a compiled model.
 * @throws Error that says what is missing or invalid, and how to get a model
 */
export async function readModelDescription(folder: string): Promise<ModelDescription> {
  const path = join(folder, MODEL_DESCRIPTION_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new Error(`Cannot load the model: ${path} is not there; run "make download-models"`, { cause: error })
  }
  const found: unknown = JSON.parse(text)
  if (Value.Check(ModelDescriptionSchema, found)) return found
  const problems = Value.Errors(ModelDescriptionSchema, found).map(
    ({ instancePath, message }) => `${instancePath} ${message}`
  )
  throw new Error(`Cannot load the model: ${path} does not fit: ${problems.slice(0, 5).join('; ')}`)
}

/**
 * Compares files of a compiled model with the checksums of its description.
 * @param names the files to compare
 * @throws Error that names each file that is missing or has another checksum
 */
export async function verifyModelFiles(
  folder: string,
  description: ModelDescription,
  names: readonly string[]
): Promise<void> {
  const problems = await Promise.all(
    names.map(async (name) => {
      const wanted = description.files[name]
      const found = await sha256OfFile(join(folder, name)).catch((error: unknown) => String(error))
      return found === wanted ? [] : [`${name} has SHA-256 ${found}, wanted ${wanted ?? 'no such file'}`]
    })
  )
  if (problems.flat().length > 0) throw new Error(`Cannot load the model in ${folder}: ${problems.flat().join('; ')}`)
}

/** SHA-256 of a file's bytes, in hexadecimal digits. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}

/** Decodes a golden embedding: base64 of float32, little-endian. */
export function decodeVector(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer)
}

/** The inverse of {@link decodeVector}. */
export function encodeVector(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}
