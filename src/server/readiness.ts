/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Whether the service can do its work yet. */
export interface Readiness {
  isReady(): boolean
  /** What is missing, in words; none when ready. */
  reasons(): readonly string[]
  /** What does not work although the rest does, in words. @default all does */
  notes?(): readonly string[]
}
