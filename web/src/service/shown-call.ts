/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import { screenOf } from '../shell/route.ts'
import type { ServiceRequest } from './service-request.ts'

/** The last call that each screen made. */
export const shownCalls = signal<Readonly<Record<string, ServiceRequest>>>({})

/** Makes a call the one that its screen shows. */
export function showCall(request: ServiceRequest): void {
  shownCalls.value = { ...shownCalls.value, [screenOf()]: request }
}
