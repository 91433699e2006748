/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'

const STORED_AS = 'sbert-service-key'

/** The key of whoever uses the page; undefined until one is given. It lives in the session storage of this tab alone. */
export const key = signal(readKey())

/** Why the key form is shown, when a key was refused: the service's sentence. */
export const refusal = signal<string | undefined>(undefined)

/** A link that carries a key in its fragment, which browsers do not send: it is read once, and taken out of the address. */
function readKey(): string | undefined {
  const carried = new URLSearchParams(location.hash.slice(1)).get('key')
  if (carried !== null && carried !== '') {
    sessionStorage.setItem(STORED_AS, carried)
    history.replaceState(null, '', `${location.pathname}${location.search}`)
  }
  return sessionStorage.getItem(STORED_AS) ?? undefined
}

// Another link, pasted into the address of the open page, loads nothing anew.
addEventListener('hashchange', () => {
  const given = readKey()
  if (given !== undefined && given !== key.value) giveKey(given)
})

/** Takes a key from now on. */
export function giveKey(given: string): void {
  sessionStorage.setItem(STORED_AS, given)
  refusal.value = undefined
  key.value = given
}

/** Forgets the key. @param why what the service said when it refused it */
export function forgetKey(why?: string): void {
  sessionStorage.removeItem(STORED_AS)
  refusal.value = why
  key.value = undefined
}
