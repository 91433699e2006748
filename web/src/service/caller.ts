/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { effect, signal } from '@preact/signals'
import type { CallerReply } from '../../../src/server/routes/caller/caller-reply.ts'
import { askQuietly, ServiceFault } from './ask.ts'
import { key } from './key.ts'

/** What a key may be for. */
export type Scope = CallerReply['scopes'][number]

/** Who the key belongs to, once the service has said so. */
export const caller = signal<CallerReply | undefined>(undefined)

effect(() => {
  if (key.value === undefined) caller.value = undefined
  else void readCaller(key.value)
})

async function readCaller(asked: string): Promise<void> {
  try {
    const { data } = await askQuietly<CallerReply>({ method: 'GET', path: '/v1/caller' })
    // Of replies to several keys that of the present one counts, whichever comes last.
    if (key.value === asked) caller.value = data
  } catch (error) {
    if (key.value !== asked) return
    // A refused key and a lost connection are told elsewhere.
    if (error instanceof ServiceFault && error.status !== 401 && error.status !== undefined) caller.value = UNKNOWN
  }
}

/** Who may do everything, as far as the page knows: the service refuses what it must. */
const UNKNOWN: CallerReply = { name: '', scopes: ['encode', 'ask', 'train', 'admin'] }

/** Whether the key may do this. What it may not do is not offered. */
export function may(scope: Scope): boolean {
  const scopes = caller.value?.scopes ?? []
  return scopes.includes(scope) || scopes.includes('admin')
}
