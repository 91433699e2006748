/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'

/** Screens by their name in the address. */
export const SCREENS = ['sentences', 'mentors', 'classifiers', 'jobs', 'service'] as const
export type ScreenName = (typeof SCREENS)[number]

/** The address after `#/`, in its parts: the screen, then what the screen makes of the rest. */
export const route = signal(readRoute())

addEventListener('hashchange', () => {
  route.value = readRoute()
})

function readRoute(): readonly string[] {
  if (!location.hash.startsWith('#/')) return ['sentences']
  try {
    return location.hash
      .slice(2)
      .split('/')
      .map((part) => decodeURIComponent(part))
  } catch {
    // Not percent-encoded UTF-8: nobody was given such an address here.
    return ['sentences']
  }
}

/** The screen of the address. */
export function screenOf(): ScreenName {
  return SCREENS.find((name) => name === route.value[0]) ?? 'sentences'
}

/** The address of a screen, or of something on it. */
export function linkTo(screen: ScreenName, ...parts: string[]): string {
  return `#/${[screen, ...parts].map((part) => encodeURIComponent(part)).join('/')}`
}

/** Goes to an address of {@link linkTo}. */
export function goTo(screen: ScreenName, ...parts: string[]): void {
  location.hash = linkTo(screen, ...parts)
}
