/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { sha256OfFile } from './model-files.ts'

/** The native encoders: src/embedding/native/binding.c says what each function does. */
export interface NativeProgram {
  /** Names of the kernels that this CPU can run, the fastest first. */
  kernels(): string[]
  /**
   * Names of kernels that this CPU could run, and the operating system does not let it: AMX needs a permission, which
   * containers may refuse. Programs that were compiled before this function existed lack it.
   */
  readonly refusedKernels?: () => string[]
  /** @throws TypeError when the files are not those of a model, or the CPU cannot run these kernels */
  open(weightsPath: string, wordsPath: string, kernel: string): unknown
  dimensions(encoder: unknown): number
  /** @throws TypeError when the arrays do not fit each other or the model */
  encode(encoder: unknown, ids: Int32Array, lengths: Int32Array, embeddings: Float32Array): void
  /** @throws TypeError as {@link open} */
  openFloat(weightsPath: string, kernel: string): unknown
  inputColumns(floatEncoder: unknown): number
  /** @throws TypeError as {@link encode} */
  encodeFloat(floatEncoder: unknown, ids: Int32Array, embedding: Float32Array, maxima: Float32Array): void
  // Programs that were compiled before these functions existed lack them.
  /** Returns unused memory of malloc to the operating system. */
  readonly trimMemory?: () => void
  /**
   * Inner products with rows: src/learning/embedding-products.ts says what these functions compute.
   * @throws TypeError when the arrays are empty or do not fit each other
   */
  readonly multiplyRows?: (embedding: Int16Array, rows: Int8Array, indexes: Int32Array, products: Int32Array) => void
  /** @throws TypeError as {@link multiplyRows} */
  readonly addProducts?: (embedding: Float32Array, rows: Float32Array, stride: number, sums: Float64Array) => void
}

/** Where `make download-models` puts the native encoder of this platform. */
export const NATIVE_FOLDER = join(import.meta.dirname, '../../models/native', `${process.platform}-${process.arch}`)

/** Names in that folder. */
export const PROGRAM_FILE = 'encoder.node'
export const PROGRAM_DESCRIPTION_FILE = 'encoder.json'

/** encoder.json: what the program was compiled from. */
export const ProgramDescriptionSchema = Type.Object({
  /** Digest of the sources and the compiler's options. */
  fingerprint: Type.String(),
  compiler: Type.String(),
  sha256: Type.String()
})

/** See {@link ProgramDescriptionSchema}. */
export type ProgramDescription = Static<typeof ProgramDescriptionSchema>

/** Reads the description of the program in a folder; undefined when there is none. */
export async function readProgramDescription(folder: string): Promise<ProgramDescription | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(join(folder, PROGRAM_DESCRIPTION_FILE), 'utf8'))
    return Value.Check(ProgramDescriptionSchema, found) ? found : undefined
  } catch {
    return undefined
  }
}

/**
 * Path of the program in a folder; undefined when there is none.
 * @throws Error when its bytes are not those that were compiled: such a program must not be loaded
 */
export async function findNativeProgram(folder = NATIVE_FOLDER): Promise<string | undefined> {
  const description = await readProgramDescription(folder)
  if (description === undefined) return undefined
  const path = join(folder, PROGRAM_FILE)
  const found = await sha256OfFile(path).catch((error: unknown) => String(error))
  if (found === description.sha256) return path
  throw new Error(
    `Cannot load the native encoder: ${path} has SHA-256 ${found}, wanted ${description.sha256}; run "make download-models"`
  )
}

/**
 * Loads a program that {@link findNativeProgram} has found.
 * @throws Error with the error of the system's loader as its cause
 */
export function loadNativeProgram(path: string): NativeProgram {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compiled from binding.c
    return createRequire(import.meta.url)(path) as NativeProgram
  } catch (error) {
    throw new Error(`Cannot load the native encoder ${path}; run "make download-models"`, { cause: error })
  }
}

/** Functions of the native program besides the encoders. */
export interface NativeFunctions {
  /** Returns unused memory of malloc to the operating system. */
  readonly trimMemory?: () => void
  /** Inner products: src/learning/embedding-products.ts says what they compute. */
  readonly products?: Required<Pick<NativeProgram, 'multiplyRows' | 'addProducts'>>
}

/** Finds the functions that the native program of this machine has; none where it is missing. */
export async function findNativeFunctions(): Promise<NativeFunctions> {
  try {
    const path = await findNativeProgram()
    if (path === undefined) return {}
    const { trimMemory, multiplyRows, addProducts } = loadNativeProgram(path)
    return {
      ...(trimMemory && { trimMemory }),
      ...(multiplyRows && addProducts && { products: { multiplyRows, addProducts } })
    }
  } catch {
    // The encoder reports why the program cannot be loaded.
    return {}
  }
}

/**
 * Chooses the kernels.
 * @param wanted the name of one, or `auto` for the fastest
 * @throws Error that names the kernels that this CPU can run
 */
export function chooseKernel(program: NativeProgram, wanted: string): string {
  const kernels = program.kernels()
  const found = wanted === 'auto' ? kernels[0] : kernels.find((name) => name === wanted)
  if (found === undefined) {
    throw new Error(`Cannot compute by ${wanted}: this CPU can run ${kernels.join(', ')}; see NATIVE_KERNEL`)
  }
  return found
}
