/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'

import type { Architecture, ModelBytes } from '../learning/classifier-model.ts'
import type { ModelFigures } from '../learning/fit.ts'
import type { OnnxBinding } from './onnx-binding.ts'
import type { Judgement } from '../learning/judgement.ts'
import type { Signature } from '../table/signature.ts'

/** How a version decides: `onnx` is a model that a user brought. */
export type VersionArchitecture = Architecture | 'onnx'

/** Details of a version; they never change. */
export interface VersionDetails {
  readonly architecture: VersionArchitecture
  /** Of `onnx`: how its file is run. */
  readonly onnx?: OnnxBinding
  readonly signature: Signature
  /** Hash of the data it was trained from. */
  readonly dataHash: string
  /** Revision of the encoder that it answers with, and no other; null of a model without text features. */
  readonly encoderRevision: string | null
  readonly classCount: number
  readonly sampleCount: number
  /** Judged out of fold. */
  readonly figures: ModelFigures
  readonly notMeasured: readonly string[]
  /** From the start of the training until the model was stored. */
  readonly durationMs: number
  /** The job that trained it. */
  readonly jobId: string
  /** Who asked for it. */
  readonly trainedBy: string
}

/** A trained model of a name, numbered from 1. */
export interface ModelVersion extends VersionDetails {
  readonly version: number
  /** {@link modelHashOf} its bytes: the artefact's address in the store. */
  readonly modelHash: string
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** What is stored of a version. */
export interface NewVersion {
  readonly details: VersionDetails
  readonly model: ModelBytes
  /** JSON of a `VersionReport`. */
  readonly reportJson: string
  readonly judgements: readonly Judgement[]
}

/** The moment that a version began to answer. */
export interface VersionChange {
  readonly version: number
  readonly kind: (typeof CHANGE_KINDS)[number]
  readonly atMs: number
  /** Who wanted it. */
  readonly by: string
}

/** Every kind of {@link VersionChange}. */
export const CHANGE_KINDS = ['PROMOTED', 'ROLLED_BACK'] as const

/** Outcome of a request to change the live version; `missing`: there is no such version, or none to go back to. */
export type LiveChange = { readonly outcome: 'changed'; readonly version: number } | { readonly outcome: 'missing' }

/** Address of a model's bytes: hexadecimal SHA-256. */
export function modelHashOf(model: ModelBytes): string {
  return hash('sha256', model)
}

/** Keeps the versions of models by name, of mentors and classifiers alike. One version of each name is live: the one that answers. */
export interface ModelStore {
  /** Stores a version, whole or not at all. The same job gets the same version, however often it is done. */
  add(name: string, version: NewVersion): Promise<ModelVersion>
  /** Names that have a version, in order. */
  names(): Promise<readonly string[]>
  liveVersion(name: string): Promise<number | undefined>
  /** Newest first. */
  versions(name: string): Promise<readonly ModelVersion[]>
  find(name: string, version: number): Promise<ModelVersion | undefined>
  read(name: string, version: number): Promise<ModelBytes | undefined>
  /** JSON of a `VersionReport`. */
  report(name: string, version: number): Promise<string | undefined>
  judgements(name: string, version: number): Promise<readonly Judgement[]>
  /** Which versions were live, newest first. */
  history(name: string): Promise<readonly VersionChange[]>
  promote(name: string, version: number, by: string): Promise<LiveChange>
  /** Makes live again what was live before the present version was promoted; once more goes one further back. */
  rollBack(name: string, by: string): Promise<LiveChange>
  deleteAll(name: string): Promise<void>
}
