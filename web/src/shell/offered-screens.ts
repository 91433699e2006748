/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { caller, may, type Scope } from '../service/caller.ts'
import { SCREENS, type ScreenName } from './route.ts'

/** One of these a key must be for to use a screen. */
const SCOPES_OF_SCREEN: Readonly<Record<ScreenName, readonly Scope[]>> = {
  sentences: ['encode'],
  mentors: ['ask', 'train'],
  classifiers: ['ask', 'train'],
  jobs: ['encode', 'train'],
  service: ['encode']
}

/** Screens that the key may use; all until it is known. */
export function offeredScreens(): readonly ScreenName[] {
  if (caller.value === undefined) return SCREENS
  const isLimited = caller.value.mentors !== undefined
  return SCREENS.filter((name) => {
    // Classifiers are of no mentor, so those who are limited to some have none.
    if (name === 'classifiers' && isLimited) return false
    return SCOPES_OF_SCREEN[name].some((scope) => may(scope))
  })
}
