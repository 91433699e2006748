/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import mark from '../mark.svg'
import { forgetKey, key } from '../service/key.ts'
import { texts } from '../texts.ts'
import { linkTo, screenOf } from './route.ts'
import { offeredScreens } from './offered-screens.ts'
import { seenTheme, switchTheme } from './theme.ts'

/** Mark, screens, and what concerns the whole page. */
export function Navigation() {
  const screen = screenOf()
  const isDark = seenTheme() === 'dark'
  return (
    <header class="nav">
      <a class="nav-mark" href={linkTo('sentences')} aria-label={texts.product}>
        <img src={mark} alt="" width="28" height="28" />
        <span class="nav-name">{texts.product}</span>
      </a>
      <nav aria-label={texts.shell.screens}>
        <ul class="nav-screens">
          {offeredScreens().map((name) => (
            <li key={name}>
              <a href={linkTo(name)} aria-current={name === screen ? 'page' : undefined}>
                {texts.screens[name].title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="nav-foot">
        <a href="/docs">{texts.shell.docs}</a>
        <button type="button" class="plain" aria-pressed={isDark} onClick={switchTheme}>
          {texts.shell.dark}
        </button>
        {key.value !== undefined && (
          <button type="button" class="plain" onClick={forgetAll}>
            {texts.shell.forgetKey}
          </button>
        )}
      </div>
    </header>
  )
}

/** Forgets the key, and with it all that was seen by it. */
function forgetAll(): void {
  forgetKey()
  location.reload()
}
