/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { texts } from '../texts.ts'

const SHOWN_MS = 1500

/** Copies a text, and says that it did. */
export function CopyButton({ text }: { readonly text: string }) {
  const wasCopied = useSignal(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    wasCopied.value = true
    setTimeout(() => (wasCopied.value = false), SHOWN_MS)
  }
  return (
    <button type="button" onClick={() => void copy()}>
      <span aria-live="polite">{wasCopied.value ? texts.call.copied : texts.call.copy}</span>
    </button>
  )
}
