/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useCallback, useEffect, useRef } from 'preact/hooks'
import { isLost } from './connection.ts'
import { faultSentence } from './use-task.ts'

/** Something that the service has, as it was when last read. */
export interface Loaded<T> {
  /** Undefined until it is there. */
  readonly value: ReadonlySignal<T | undefined>
  readonly fault: ReadonlySignal<string | undefined>
  /** Reads it anew. */
  readonly reload: () => Promise<void>
  /** Takes what was read in another way. */
  readonly take: (read: T) => void
}

/**
 * Reads something when the component appears, whenever its dependencies change, and once a lost connection is back.
 * @param dependencies values that decide what is read
 */
export function useLoaded<T>(
  read: () => Promise<T>,
  dependencies: readonly (string | number | undefined)[]
): Loaded<T> {
  const value = useSignal<T | undefined>(undefined)
  const fault = useSignal<string | undefined>(undefined)
  // Of replies to several readings the last one counts.
  const reading = useRef(0)
  const reload = useCallback(async () => {
    const mine = ++reading.current
    try {
      const loaded = await read()
      if (mine !== reading.current) return
      value.value = loaded
      fault.value = undefined
    } catch (error) {
      if (mine === reading.current) fault.value = faultSentence(error)
    }
  }, dependencies)
  const lost = isLost.value
  useEffect(() => {
    if (!lost) void reload()
  }, [reload, lost])
  const take = (newer: T): void => {
    value.value = newer
  }
  return { value, fault, reload, take }
}
