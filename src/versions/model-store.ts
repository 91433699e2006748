/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'

import type { Architecture, ModelBytes } from '../learning/classifier-model.ts'
import type { ModelFigures } from '../learning/model-figures.ts'
import type { OnnxBinding } from './onnx-binding.ts'
import type { Judgement } from '../learning/judgement.ts'
import type { Signature } from '../table/signature.ts'
import type { VersionChange } from './version-change.ts'

/** Architecture of a version: `onnx` is a model that a user uploaded. */
export type VersionArchitecture = Architecture | 'onnx'

/** Details of a version; they never change. */
export interface VersionDetails {
  readonly architecture: VersionArchitecture
  /** For `onnx`: how inputs and outputs of the file are bound. */
  readonly onnx?: OnnxBinding
  readonly signature: Signature
  /** Hash of the data it was trained from. */
  readonly dataHash: string
  /** Revision of the only encoder that it works with; null for a model without text features. */
  readonly encoderRevision: string | null
  readonly classCount: number
  readonly sampleCount: number
  /** Measured out of fold. */
  readonly figures: ModelFigures
  readonly notMeasured: readonly string[]
  /** Time from the start of the training until the model was stored. */
  readonly durationMs: number
  /** The job that trained it. */
  readonly jobId: string
  /** Who asked for it. */
  readonly trainedBy: string
}

/**
 * A stored version of a model. Versions of a name are numbered from 1, and no number is given twice, even after the name was
 * deleted: what any process keeps by name and number stays right.
 */
export interface ModelVersion extends VersionDetails {
  readonly version: number
  /** {@link modelHashOf} of its bytes: their address in the store. */
  readonly modelHash: string
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** A version to store. */
export interface NewVersion {
  readonly details: VersionDetails
  readonly model: ModelBytes
  /** JSON of a `VersionReport`. */
  readonly reportJson: string
  readonly judgements: readonly Judgement[]
}

/** Outcome of a request to change the live version; `missing`: there is no such version, or none to roll back to. */
export type LiveChange = { readonly outcome: 'changed'; readonly version: number } | { readonly outcome: 'missing' }

/** Address of a model's bytes: hexadecimal SHA-256. */
export function modelHashOf(model: ModelBytes): string {
  return hash('sha256', model)
}

/**
 * Keeps versions of models by name, for mentors and classifiers alike. At most one version of each name is live: the
 * one that answers.
 */
export interface ModelStore {
  /** Stores a version atomically. A repeated job gets the version that it stored before. */
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
  /**
   * Makes the version live that was live before the current one was promoted; each further call goes one promotion
   * further back.
   */
  rollBack(name: string, by: string): Promise<LiveChange>
  /** Deletes all versions of a name; the next one that is added continues their numbers. */
  deleteAll(name: string): Promise<void>
}
