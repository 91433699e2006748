/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { giveKey, refusal } from '../service/key.ts'
import { texts } from '../texts.ts'

/** Asks for a key, and says why when one was refused. */
export function KeyForm() {
  const typed = useSignal('')
  const submit = (event: Event): void => {
    event.preventDefault()
    const given = typed.value.trim()
    if (given !== '') giveKey(given)
  }
  return (
    <form class="card narrow" onSubmit={submit}>
      <h2>{texts.key.title}</h2>
      {refusal.value !== undefined && (
        <p class="notice notice-bad" role="alert">
          {texts.key.refused(refusal.value)}
        </p>
      )}
      <p>{texts.key.where}</p>
      <label class="field">
        <span>{texts.key.label}</span>
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        {texts.key.use}
      </button>
      <p class="hint">{texts.key.kept}</p>
    </form>
  )
}
