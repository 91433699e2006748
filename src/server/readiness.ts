/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Whether the service is ready, and why not. */
export interface Readiness {
  isReady(): boolean
  /** Why it is not ready, in words; empty when it is. */
  reasons(): readonly string[]
  /** What does not work although the service is ready, in words. @default nothing */
  notes?(): readonly string[]
}
