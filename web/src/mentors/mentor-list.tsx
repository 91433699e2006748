/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Fault } from '../parts/fault.tsx'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { may } from '../service/caller.ts'
import { useLoaded } from '../service/use-loaded.ts'
import { linkTo } from '../shell/route.ts'
import { texts } from '../texts.ts'
import { AddMentor } from './add-mentor.tsx'
import { listMentors } from './mentor-calls.ts'

/** Every mentor there is, and how to get one. */
export function MentorList() {
  const mentors = useLoaded(listMentors, [])
  const list = mentors.value.value
  return (
    <>
      <Fault sentence={mentors.fault.value} onRetry={() => void mentors.reload()} />
      {list !== undefined && list.length === 0 && (
        <p class="empty">{may('train') ? texts.mentors.none : texts.mentors.noneToAsk}</p>
      )}
      {list !== undefined && list.length > 0 && (
        <section class="card">
          <h2>{texts.mentors.all}</h2>
          <ScrollRegion label={texts.mentors.all}>
            <table class="list">
              <thead>
                <tr>
                  <th scope="col">{texts.mentors.columns.mentor}</th>
                  <th scope="col" class="end">
                    {texts.mentors.columns.answers}
                  </th>
                  <th scope="col">{texts.mentors.columns.changed}</th>
                </tr>
              </thead>
              <tbody>
                {list.map(({ mentor, name, answerCount, updated }) => (
                  <tr key={mentor}>
                    <td>
                      <a href={linkTo('mentors', mentor)}>{name ?? mentor}</a>{' '}
                      {name !== undefined && <code class="muted">{mentor}</code>}
                    </td>
                    <td class="end number">{answerCount}</td>
                    <td class="number">{new Date(updated).toLocaleString()}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollRegion>
        </section>
      )}
      {may('train') && <AddMentor isFirst={list?.length === 0} />}
    </>
  )
}
