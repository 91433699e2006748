/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import { listenToEvents } from '../service/listen-to-events.ts'
import { showCall } from '../service/shown-call.ts'
import { faultSentence } from '../service/use-task.ts'

/** How the service did for a second. */
export interface ServiceSample {
  readonly atMs: number
  readonly requestsPerSecond: number
  readonly sentencesPerSecond: number
  readonly batchesPerSecond: number
  readonly meanMs: {
    readonly request: number | null
    readonly tokenize: number | null
    readonly queue: number | null
    readonly inference: number | null
  }
  readonly sentencesPerBatch: number | null
  readonly cacheHitShare: number | null
  readonly waitingSentences: number
  readonly residentBytes: number
  readonly memoryLimitBytes: number
  readonly jobs: { readonly queued: number; readonly running: number; readonly dead: number } | null
}

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
