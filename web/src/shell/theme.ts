/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { effect, signal } from '@preact/signals'

const STORED_AS = 'sbert-service-theme'

export type Theme = 'light' | 'dark'

/** What was chosen; undefined leaves it to the system. */
const chosenTheme = signal(readTheme())

const system = matchMedia('(prefers-color-scheme: dark)')
const systemIsDark = signal(system.matches)
system.addEventListener('change', () => {
  systemIsDark.value = system.matches
})

function readTheme(): Theme | undefined {
  const stored = localStorage.getItem(STORED_AS)
  return stored === 'light' || stored === 'dark' ? stored : undefined
}

/** The theme that is seen. */
export function seenTheme(): Theme {
  return chosenTheme.value ?? (systemIsDark.value ? 'dark' : 'light')
}

/** Changes between light and dark. */
export function switchTheme(): void {
  chosenTheme.value = seenTheme() === 'dark' ? 'light' : 'dark'
  localStorage.setItem(STORED_AS, chosenTheme.value)
}

// Always set, so that each palette is declared once: without it, the dark one would be needed for the system's wish too.
effect(() => {
  document.documentElement.dataset['theme'] = seenTheme()
})
