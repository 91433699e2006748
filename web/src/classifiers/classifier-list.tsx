/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Fault } from '../parts/fault.tsx'
import { formatPercent } from '../parts/format.ts'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { may } from '../service/caller.ts'
import { useLoaded } from '../service/use-loaded.ts'
import { linkTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { AddClassifier } from './add-classifier.tsx'
import { listClassifiers, type ClassifierListing } from './classifier-calls.ts'

/** Every classifier there is, and how to get one. */
export function ClassifierList() {
  const classifiers = useLoaded(listClassifiers, [])
  const list = classifiers.value.value
  return (
    <>
      <Fault sentence={classifiers.fault.value} onRetry={() => void classifiers.reload()} />
      {list !== undefined && list.length === 0 && (
        <p class="empty">{may('train') ? texts.classifiers.none : texts.classifiers.noneToAsk}</p>
      )}
      {list !== undefined && list.length > 0 && <ClassifierTable list={list} />}
      {may('train') && <AddClassifier isFirst={list?.length === 0} />}
    </>
  )
}

function ClassifierTable({ list }: { readonly list: readonly ClassifierListing[] }) {
  const { columns } = texts.classifiers
  return (
    <section class="card">
      <h2>{texts.classifiers.all}</h2>
      <ScrollRegion label={texts.classifiers.all}>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{columns.name}</th>
              <th scope="col">{columns.predicts}</th>
              <th scope="col">{columns.from}</th>
              <th scope="col" class="end">
                {columns.classes}
              </th>
              <th scope="col" class="end">
                {columns.accuracy}
              </th>
            </tr>
          </thead>
          <tbody>
            {list.map(({ classifier, label, features, classCount, accuracy }) => (
              <tr key={classifier}>
                <td>
                  <a href={linkTo('classifiers', classifier)}>{classifier}</a>
                </td>
                <td>{label.name}</td>
                <td>{features.map(({ name }) => name).join(', ')}</td>
                <td class="end number">{classCount}</td>
                <td class="end number">{formatPercent(accuracy)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </section>
  )
}
