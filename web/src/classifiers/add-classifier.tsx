/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import lettersTable from '../../../examples/letters.csv'
import sensorsTable from '../../../examples/sensors.csv'
import { Fault } from '../parts/fault.tsx'
import { FileDrop } from '../parts/file-drop.tsx'
import { useTask } from '../service/use-task.ts'
import { goTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { trainFromTable } from './train-from-table.ts'

const EXAMPLES = { letters: lettersTable, sensors: sensorsTable } as const

/** A new classifier, from a table or from an example. */
export function AddClassifier({ isFirst }: { readonly isFirst: boolean }) {
  const name = useSignal('')
  const task = useTask()
  const start = (classifier: string, read: () => Promise<string>, fileName: string): void => {
    void task.run(async () => {
      await trainFromTable(classifier, await read(), fileName)
      goTo('classifiers', classifier)
    })
  }
  return (
    <section class="card">
      <h2>{texts.classifiers.add}</h2>
      <Fault sentence={task.fault.value} />
      <div class="columns">
        <div class="stack">
          <label class="field">
            <span>{texts.classifiers.name}</span>
            <input
              value={name.value}
              placeholder={texts.classifiers.namePlaceholder}
              onInput={(event) => (name.value = event.currentTarget.value)}
            />
          </label>
          <FileDrop
            label={texts.classifiers.drop}
            accept=".csv,.json,text/csv,application/json"
            onFile={(file) =>
              start(name.value.trim() || file.name.replace(/\.[^.]*$/, ''), () => file.text(), file.name)
            }
          />
          <p class="hint">{texts.classifiers.columnsHint}</p>
        </div>
        <div class="stack">
          <p>{texts.classifiers.examples}</p>
          <div class="row">
            {(['letters', 'sensors'] as const).map((example) => (
              <button
                key={example}
                type="button"
                class={isFirst && example === 'letters' ? 'primary' : undefined}
                disabled={task.isBusy.value}
                onClick={() => start(example, async () => (await fetch(EXAMPLES[example])).text(), `${example}.csv`)}
              >
                {texts.classifiers.startFrom[example]}
              </button>
            ))}
          </div>
        </div>
      </div>
    </section>
  )
}
