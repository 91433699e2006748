/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Worker } from 'node:worker_threads'
import type { Fit, FitRequest } from './fit.ts'

/** A message of the thread. */
export type FitMessage = { readonly progress: number } | { readonly fit: Fit }

/** Options of {@link fitInThread}. */
export interface FitOptions {
  /** Asks the thread to stop, which it does after its current fit; the promise settles then. */
  readonly signal?: AbortSignal
  readonly onProgress?: (share: number) => void
}

/**
 * Runs `fitClassifier` in a separate thread of low priority. The promise settles only when the thread has ended. The
 * features are transferred to the thread, so the caller no longer has them.
 * @throws the signal's reason when it aborted; Error when the thread failed
 */
export async function fitInThread(
  request: FitRequest & { readonly features: { readonly values: Float32Array<ArrayBuffer> } },
  { signal, onProgress }: FitOptions = {}
): Promise<Fit> {
  signal?.throwIfAborted()
  const thread = new Worker(new URL('fit-worker.ts', import.meta.url), {
    name: 'fit',
    workerData: request,
    transferList: [request.features.values.buffer]
  })
  const stop = () => thread.postMessage('stop')
  signal?.addEventListener('abort', stop, { once: true })
  let fit: Fit | undefined
  let failure: Error | undefined
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  thread.on('message', (message: FitMessage) => {
    if ('fit' in message) fit = message.fit
    else onProgress?.(message.progress)
  })
  thread.on('error', (error) => {
    failure = error instanceof Error ? error : new Error('The thread failed', { cause: error })
  })
  thread.once('exit', () => end())
  await ended
  signal?.removeEventListener('abort', stop)
  if (fit !== undefined) return fit
  signal?.throwIfAborted()
  throw new Error('Cannot fit a model: the thread ended without one', { cause: failure })
}
