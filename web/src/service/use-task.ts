/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal, type ReadonlySignal } from '@preact/signals'
import { texts } from '../texts.ts'
import { ServiceFault } from './ask.ts'

/** Work that a person has started. */
export interface Task {
  readonly isBusy: ReadonlySignal<boolean>
  /** What went wrong last, in a sentence. */
  readonly fault: ReadonlySignal<string | undefined>
  /** Does the work, unless some is being done. @returns whether it went well */
  readonly run: (work: () => Promise<void>) => Promise<boolean>
}

/** State of work that a person starts: busy, then done or a sentence that says why not. */
export function useTask(): Task {
  const isBusy = useSignal(false)
  const fault = useSignal<string | undefined>(undefined)
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    if (isBusy.value) return false
    isBusy.value = true
    fault.value = undefined
    try {
      await work()
      return true
    } catch (error) {
      fault.value = faultSentence(error)
      return false
    } finally {
      isBusy.value = false
    }
  }
  return { isBusy, fault, run }
}

/** What is said of an error: the service's sentence, or that the page is at fault. */
export function faultSentence(error: unknown): string {
  if (error instanceof ServiceFault) return error.message
  return texts.faults.page(error instanceof Error ? error.message : String(error))
}
