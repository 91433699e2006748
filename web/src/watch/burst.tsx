/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { Fault } from '../parts/fault.tsx'
import { formatMs, formatNumber } from '../parts/format.ts'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import { BURST_SENTENCES, sendBurst, WAYS, type BurstResult } from './send-burst.ts'

/** Sends the same number of sentences in three ways, and shows what batching does. */
export function Burst() {
  const task = useTask()
  const results = useSignal<readonly BurstResult[]>([])
  const send = async (): Promise<void> => {
    await task.run(async () => {
      results.value = []
      for (const way of WAYS) results.value = [...results.value, await sendBurst(way)]
    })
  }
  return (
    <section class="card">
      <div class="row apart">
        <div class="stack">
          <h2>{texts.burst.title}</h2>
          <p class="hint">{texts.burst.lead(BURST_SENTENCES)}</p>
        </div>
        <button type="button" class="primary" disabled={task.isBusy.value} onClick={() => void send()}>
          {task.isBusy.value ? texts.burst.sending : texts.burst.send}
        </button>
      </div>
      <Fault sentence={task.fault.value} />
      {results.value.length > 0 && <BurstTable results={results.value} />}
    </section>
  )
}

function BurstTable({ results }: { readonly results: readonly BurstResult[] }) {
  const { columns } = texts.burst
  return (
    <ScrollRegion label={texts.burst.title}>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">{columns.way}</th>
            <th scope="col" class="end">
              {columns.duration}
            </th>
            <th scope="col" class="end">
              {columns.rate}
            </th>
            <th scope="col" class="end">
              {columns.queue}
            </th>
            <th scope="col" class="end">
              {columns.inference}
            </th>
          </tr>
        </thead>
        <tbody>
          {results.map(({ way, durationMs, meanQueueMs, meanInferenceMs }) => (
            <tr key={way}>
              <td>{texts.burst.ways[way]}</td>
              <td class="end number">{formatMs(durationMs)}</td>
              <td class="end number">{formatNumber((BURST_SENTENCES * 1000) / durationMs)}</td>
              <td class="end number">{formatMs(meanQueueMs)}</td>
              <td class="end number">{formatMs(meanInferenceMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}
