/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useEffect } from 'preact/hooks'
import { Fault } from '../parts/fault.tsx'
import { FigureRow } from '../parts/figure-row.tsx'
import { formatBytes, formatMs, formatNumber, formatPercent } from '../parts/format.ts'
import { texts } from '../texts.ts'
import { Burst } from './burst.tsx'
import { sampleFault, samples, watchService, type ServiceSample } from './service-sample.ts'
import { TimePlot } from './time-plot.tsx'

/** How the service fares, second by second. */
export function WatchScreen() {
  useEffect(watchService, [])
  const shown = samples.value
  const latest = shown.at(-1)
  return (
    <>
      <Fault sentence={sampleFault.value} />
      {latest === undefined ? (
        sampleFault.value === undefined && <p class="empty">{texts.watch.waiting}</p>
      ) : (
        <>
          <FigureRow figures={figuresOf(latest)} />
          <Burst />
          <Plots shown={shown} latest={latest} />
        </>
      )}
    </>
  )
}

function figuresOf(sample: ServiceSample) {
  const { figures } = texts.watch
  return [
    { name: figures.sentences, value: formatNumber(sample.sentencesPerSecond), note: figures.perSecond },
    { name: figures.requests, value: formatNumber(sample.requestsPerSecond), note: figures.perSecond },
    { name: figures.batch, value: sample.sentencesPerBatch?.toFixed(1) ?? '–', note: figures.batchNote },
    { name: figures.cache, value: formatPercent(sample.cacheHitShare), note: figures.cacheNote },
    { name: figures.waiting, value: sample.waitingSentences, note: figures.waitingNote },
    {
      name: figures.memory,
      value: formatBytes(sample.residentBytes),
      note: figures.ofLimit(formatBytes(sample.memoryLimitBytes))
    }
  ]
}

function Plots({ shown, latest }: { readonly shown: readonly ServiceSample[]; readonly latest: ServiceSample }) {
  const { plots } = texts.watch
  return (
    <div class="columns">
      <section class="card">
        <h2>{plots.throughput}</h2>
        <TimePlot
          caption={plots.throughput}
          yLabel={plots.perSecond}
          samples={shown}
          format={formatNumber}
          lines={[
            { name: plots.sentences, read: (sample) => sample.sentencesPerSecond },
            { name: plots.requests, read: (sample) => sample.requestsPerSecond }
          ]}
        />
      </section>
      <section class="card">
        <h2>{plots.latency}</h2>
        <TimePlot
          caption={plots.latency}
          yLabel={plots.meanMs}
          samples={shown}
          format={formatMs}
          lines={[
            { name: plots.inference, read: (sample) => sample.meanMs.inference },
            { name: plots.queue, read: (sample) => sample.meanMs.queue },
            { name: plots.tokenize, read: (sample) => sample.meanMs.tokenize }
          ]}
        />
      </section>
      <section class="card">
        <h2>{plots.batch}</h2>
        <TimePlot
          caption={plots.batch}
          yLabel={plots.sentencesPerBatch}
          samples={shown}
          format={(value) => value.toFixed(1)}
          lines={[{ name: plots.batch, read: (sample) => sample.sentencesPerBatch }]}
        />
      </section>
      <section class="card">
        <h2>{plots.memory}</h2>
        <TimePlot
          caption={plots.memory}
          yLabel={plots.ofLimit(formatBytes(latest.memoryLimitBytes))}
          samples={shown}
          format={formatPercent}
          highest={1}
          lines={[{ name: plots.memory, read: (sample) => sample.residentBytes / sample.memoryLimitBytes }]}
        />
      </section>
    </div>
  )
}
