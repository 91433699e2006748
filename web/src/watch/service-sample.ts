/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import type { Sample } from '../../../src/server/routes/events/sample-reply.ts'
import { listenToEvents } from '../service/listen-to-events.ts'
import { showCall } from '../service/shown-call.ts'
import { faultSentence } from '../service/use-task.ts'

/** Metrics of the service for a second. */
export type ServiceSample = Sample

/** Seconds that are shown. */
export const SHOWN_SECONDS = 60

const PATH = '/v1/events'

/** The last minute, oldest first. */
export const samples = signal<readonly ServiceSample[]>([])
/** Why there are no samples. */
export const sampleFault = signal<string | undefined>(undefined)

/** Watches the service while the page is seen. @returns what stops it */
export function watchService(): () => void {
  showCall({ method: 'GET', path: `${PATH}?count=3` })
  let stopping = new AbortController()
  const start = (): void => {
    stopping = new AbortController()
    samples.value = []
    void listenToEvents(PATH, stopping.signal, keep, (error) => {
      sampleFault.value = faultSentence(error)
    })
  }
  const follow = (): void => {
    stopping.abort()
    if (!document.hidden) start()
  }
  document.addEventListener('visibilitychange', follow)
  follow()
  return () => {
    document.removeEventListener('visibilitychange', follow)
    stopping.abort()
  }
}

function keep(data: string): void {
  const sample: ServiceSample = JSON.parse(data)
  sampleFault.value = undefined
  samples.value = [...samples.value, sample].slice(-SHOWN_SECONDS)
}
