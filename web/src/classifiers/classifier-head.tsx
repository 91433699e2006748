/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Fault } from '../parts/fault.tsx'
import { FileDrop } from '../parts/file-drop.tsx'
import { formatPercent } from '../parts/format.ts'
import { may } from '../service/caller.ts'
import { useTask } from '../service/use-task.ts'
import { goTo, linkTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { deleteClassifier, type ClassifierListing } from './classifier-calls.ts'
import { trainFromTable } from './train-from-table.ts'

interface ClassifierHeadProps {
  readonly name: string
  /** Null for one that has no version yet. */
  readonly listed: ClassifierListing | null | undefined
}

/** Whose studio it is, how the classifier stands, and how to train it anew. */
export function ClassifierHead({ name, listed }: ClassifierHeadProps) {
  const task = useTask()
  const remove = (): void => {
    if (!confirm(texts.classifiers.reallyDelete(name))) return
    void task.run(async () => {
      await deleteClassifier(name)
      goTo('classifiers')
    })
  }
  return (
    <section class="card" aria-label={name}>
      <div class="row apart">
        <div>
          <p class="hint">
            <a href={linkTo('classifiers')}>{texts.classifiers.back}</a>
          </p>
          <h2 class="title">{name}</h2>
          {listed && (
            <p class="hint">
              {texts.classifiers.predicts(listed.label.name, listed.features.map((one) => one.name).join(', '))} ·{' '}
              {texts.studio.live(listed.live ?? 0, formatPercent(listed.accuracy))}
            </p>
          )}
        </div>
        {may('admin') && listed && (
          <button type="button" class="plain" disabled={task.isBusy.value} onClick={remove}>
            {texts.studio.delete}
          </button>
        )}
      </div>
      <Fault sentence={task.fault.value} />
      {may('train') && listed && (
        <details>
          <summary>{texts.classifiers.trainAnew}</summary>
          <FileDrop
            label={texts.classifiers.drop}
            accept=".csv,.json,text/csv,application/json"
            onFile={(file) => void task.run(async () => trainFromTable(name, await file.text(), file.name))}
          />
        </details>
      )}
    </section>
  )
}
