/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import exampleTable from '../../../examples/mentor.csv'
import { Fault } from '../parts/fault.tsx'
import { FileDrop } from '../parts/file-drop.tsx'
import { useTask } from '../service/use-task.ts'
import { goTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { storeMentor } from './mentor-calls.ts'
import { lastUpload } from './last-upload.ts'

/** The example's mentor. */
const EXAMPLE_ID = 'noor'

/** A new mentor, from a file or from the example. */
export function AddMentor({ isFirst }: { readonly isFirst: boolean }) {
  const id = useSignal('')
  const task = useTask()
  const store = (mentor: string, body: string, contentType: string): void => {
    void task.run(async () => {
      lastUpload.value = await storeMentor(mentor, body, contentType)
      goTo('mentors', mentor)
    })
  }
  const startFromExample = async (): Promise<void> => {
    const reply = await fetch(exampleTable)
    store(EXAMPLE_ID, await reply.text(), 'text/csv')
  }
  const takeFile = async (file: File): Promise<void> => {
    const name = id.value.trim() || file.name.replace(/\.[^.]*$/, '')
    store(name, await file.text(), file.name.endsWith('.json') ? 'application/json' : 'text/csv')
  }
  return (
    <section class="card">
      <h2>{texts.mentors.add}</h2>
      <Fault sentence={task.fault.value} />
      <div class="columns">
        <div class="stack">
          <label class="field">
            <span>{texts.mentors.id}</span>
            <input
              value={id.value}
              placeholder={texts.mentors.idPlaceholder}
              onInput={(event) => (id.value = event.currentTarget.value)}
            />
          </label>
          <FileDrop
            label={texts.mentors.drop}
            accept=".csv,.json,text/csv,application/json"
            onFile={(file) => void takeFile(file)}
          />
          <p class="hint">{texts.mentors.columnsHint}</p>
        </div>
        <div class="stack">
          <p>{texts.mentors.example}</p>
          <div class="row">
            <button
              type="button"
              class={isFirst ? 'primary' : undefined}
              disabled={task.isBusy.value}
              onClick={() => void startFromExample()}
            >
              {texts.mentors.startFromExample}
            </button>
          </div>
        </div>
      </div>
    </section>
  )
}
