/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { CopyButton } from '../parts/copy-button.tsx'
import { toCurl, toTypeScript } from '../service/call-text.ts'
import { shownCalls } from '../service/shown-call.ts'
import { texts } from '../texts.ts'
import { screenOf } from './route.ts'

/** The last call of the screen, to paste into a shell or a program. */
export function CallAtHand() {
  const language = useSignal<'curl' | 'typescript'>('curl')
  const call = shownCalls.value[screenOf()]
  if (call === undefined) return null
  const code = language.value === 'curl' ? toCurl(call, location.origin) : toTypeScript(call, location.origin)
  return (
    <details class="call card">
      <summary>
        <span>{texts.call.title}</span>
        <code>
          {call.method} {call.path.split('?', 1)[0]}
        </code>
      </summary>
      <div class="row">
        <div class="choices" role="group" aria-label={texts.call.language}>
          {(['curl', 'typescript'] as const).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={language.value === name}
              onClick={() => (language.value = name)}
            >
              {texts.call.languages[name]}
            </button>
          ))}
        </div>
        <CopyButton text={code} />
        <a href="/docs">{texts.call.docs}</a>
      </div>
      <pre tabIndex={0} aria-label={texts.call.languages[language.value]}>
        <code>{code}</code>
      </pre>
      <p class="hint">{texts.call.key}</p>
    </details>
  )
}
