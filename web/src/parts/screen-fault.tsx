/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'

/** What a screen says when the code of this page failed. */
export function ScreenFault({ message, onRetry }: { readonly message: string; readonly onRetry: () => void }) {
  return (
    <div class="notice notice-bad" role="alert">
      <p>{texts.faults.page(message)}</p>
      <div class="row">
        <button type="button" onClick={onRetry}>
          {texts.faults.tryAgain}
        </button>
        <button type="button" class="plain" onClick={() => location.reload()}>
          {texts.faults.reload}
        </button>
      </div>
    </div>
  )
}
