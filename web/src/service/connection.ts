/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'

/** Whether the service answered when it was last asked. */
export const isLost = signal(false)

const RETRY_MS = 2000

/** The service did not answer: asks for its health until it does. */
export function lose(): void {
  if (isLost.value) return
  isLost.value = true
  retry()
}

function find(): void {
  isLost.value = false
}

function retry(): void {
  setTimeout(() => {
    void fetch('/health/live', { cache: 'no-store' }).then(find, retry)
  }, RETRY_MS)
}
