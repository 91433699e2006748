/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { Fault } from '../parts/fault.tsx'
import { formatMs, formatPercent } from '../parts/format.ts'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import type { Column } from '../versions/version-calls.ts'
import { predict, type ClassifierListing, type Prediction, type Row } from './classifier-calls.ts'

/** A form made of the columns that the live version reads. */
export function PredictTab({ listed }: { readonly listed: ClassifierListing }) {
  const { classifier, features, label } = listed
  const task = useTask()
  const typed = useSignal<Readonly<Record<string, string>>>({})
  const prediction = useSignal<Prediction | undefined>(undefined)
  const submit = (event: Event): void => {
    event.preventDefault()
    void task.run(async () => {
      prediction.value = await predict(classifier, rowOf(features, typed.value))
    })
  }
  return (
    <div class="columns">
      <form class="card" onSubmit={submit}>
        <h2>{texts.predict.title}</h2>
        {features.map(({ name, type }) => (
          <label key={name} class="field">
            <span>{name}</span>
            {type === 'text' ? (
              <textarea
                rows={2}
                required
                value={typed.value[name] ?? ''}
                onInput={(event) => (typed.value = { ...typed.value, [name]: event.currentTarget.value })}
              />
            ) : (
              <input
                type="number"
                step="any"
                required
                value={typed.value[name] ?? ''}
                onInput={(event) => (typed.value = { ...typed.value, [name]: event.currentTarget.value })}
              />
            )}
          </label>
        ))}
        <div class="row">
          <button type="submit" class="primary" disabled={task.isBusy.value}>
            {texts.predict.predict}
          </button>
        </div>
        <Fault sentence={task.fault.value} />
      </form>
      <section class="card" aria-live="polite" aria-label={label.name}>
        <h2>{label.name}</h2>
        {prediction.value === undefined ? (
          <p class="hint">{texts.predict.nothingYet}</p>
        ) : (
          <PredictedClass prediction={prediction.value} />
        )}
      </section>
    </div>
  )
}

function rowOf(features: readonly Column[], typed: Readonly<Record<string, string>>): Row {
  return Object.fromEntries(
    features.map(({ name, type }) => [name, type === 'number' ? Number(typed[name]) : (typed[name] ?? '')])
  )
}

function PredictedClass({ prediction: { predicted, ranked, durationMs } }: { readonly prediction: Prediction }) {
  return (
    <>
      <p class="predicted">{String(predicted)}</p>
      {ranked.length > 0 && (
        <ol class="shares">
          {ranked.map(({ class: name, probability }) => (
            <li key={String(name)}>
              <span>{String(name)}</span>
              <meter min="0" max="1" value={probability} aria-label={String(name)} />
              <span class="number">{formatPercent(probability)}</span>
            </li>
          ))}
        </ol>
      )}
      <p class="hint">{formatMs(durationMs)}</p>
    </>
  )
}
