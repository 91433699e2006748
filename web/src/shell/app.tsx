/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import type { FunctionComponent } from 'preact'
import { useEffect, useErrorBoundary } from 'preact/hooks'
import { ClassifiersScreen } from '../classifiers/classifiers-screen.tsx'
import { JobsScreen } from '../jobs/jobs-screen.tsx'
import { MentorsScreen } from '../mentors/mentors-screen.tsx'
import { ScreenFault } from '../parts/screen-fault.tsx'
import { SentencesScreen } from '../sentences/sentences-screen.tsx'
import { caller } from '../service/caller.ts'
import { isLost } from '../service/connection.ts'
import { key } from '../service/key.ts'
import { texts } from '../texts.ts'
import { WatchScreen } from '../watch/watch-screen.tsx'
import { CallAtHand } from './call-at-hand.tsx'
import { KeyForm } from './key-form.tsx'
import { Navigation } from './navigation.tsx'
import { offeredScreens } from './offered-screens.ts'
import { goTo, screenOf, type ScreenName } from './route.ts'

const COMPONENTS: Readonly<Record<ScreenName, FunctionComponent>> = {
  sentences: SentencesScreen,
  mentors: MentorsScreen,
  classifiers: ClassifiersScreen,
  jobs: JobsScreen,
  service: WatchScreen
}

/** The whole page: navigation, and the screen of the address. */
export function App() {
  const screen = screenOf()
  const offered = offeredScreens()
  const isOffered = offered.includes(screen)
  useEffect(() => {
    document.title = `${texts.screens[screen].title} · ${texts.product}`
    if (!isOffered && offered[0] !== undefined) goTo(offered[0])
  }, [screen, isOffered])
  return (
    <div class="shell">
      <a class="skip-link" href="#main" onClick={skipToMain}>
        {texts.shell.skip}
      </a>
      <Navigation />
      <div class="shell-body">
        {isLost.value && (
          <p class="banner" role="alert">
            {texts.faults.lost(location.host)}
          </p>
        )}
        <main id="main" tabIndex={-1} class="screen">
          <header class="screen-head">
            <h1>{texts.screens[screen].title}</h1>
            <p class="lead">{texts.screens[screen].lead}</p>
          </header>
          {key.value === undefined && <KeyForm />}
          {/* What the key may do decides what a screen asks for. */}
          {caller.value !== undefined && isOffered && <Screen key={screen} name={screen} />}
        </main>
      </div>
    </div>
  )
}

/** The fragment is the address of a screen, so a link cannot lead to an element. */
function skipToMain(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

/** A screen; when its code fails the rest of the page stays, and says so. */
function Screen({ name }: { readonly name: ScreenName }) {
  const [error, reset] = useErrorBoundary()
  const unhandled = useSignal<string | undefined>(undefined)
  useEffect(() => {
    const note = (event: ErrorEvent | PromiseRejectionEvent): void => {
      unhandled.value = event instanceof ErrorEvent ? event.message : String(event.reason)
    }
    addEventListener('error', note)
    addEventListener('unhandledrejection', note)
    return () => {
      removeEventListener('error', note)
      removeEventListener('unhandledrejection', note)
    }
  }, [])
  if (error !== undefined) return <ScreenFault message={String(error)} onRetry={reset} />
  const Component = COMPONENTS[name]
  return (
    <>
      {unhandled.value !== undefined && (
        <ScreenFault message={unhandled.value} onRetry={() => (unhandled.value = undefined)} />
      )}
      <Component />
      <CallAtHand />
    </>
  )
}
