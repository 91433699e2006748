/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'

/** What went wrong, in a sentence; nothing when all is well. */
export function Fault({ sentence, onRetry }: { readonly sentence: string | undefined; readonly onRetry?: () => void }) {
  if (sentence === undefined) return null
  return (
    <div class="notice notice-bad" role="alert">
      <p>{sentence}</p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          {texts.faults.tryAgain}
        </button>
      )}
    </div>
  )
}
