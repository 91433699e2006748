/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { HeatMap } from '../charts/heat-map.tsx'
import { Fault } from '../parts/fault.tsx'
import { FigureRow } from '../parts/figure-row.tsx'
import { formatMs, formatPercent } from '../parts/format.ts'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import { compareSentences, linesOf, MAX_LINES, type Comparison } from './compare-sentences.ts'
import { PairList } from './pair-list.tsx'
import { SentenceMap } from './sentence-map.tsx'
import { SentenceTable } from './sentence-table.tsx'

/** A table of more rows and columns is not read: the map and the pairs tell more then. */
const MAX_HEAT_MAP = 60

/** What was typed and seen stays while other screens are looked at. */
const typed = signal(texts.sentences.example)
const comparison = signal<Comparison | undefined>(undefined)

/** Sentences, and how alike they are. */
export function SentencesScreen() {
  const task = useTask()
  const lines = linesOf(typed.value)
  const compare = async (): Promise<void> => {
    await task.run(async () => {
      comparison.value = await compareSentences(lines)
    })
  }
  useEffect(() => {
    if (comparison.value === undefined) void compare()
  }, [])
  const isTooMany = lines.length > MAX_LINES
  return (
    <>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          void compare()
        }}
      >
        <label class="field">
          <span>{texts.sentences.label}</span>
          <textarea
            rows={Math.min(14, Math.max(6, lines.length + 1))}
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </label>
        <div class="row">
          <button type="submit" class="primary" disabled={lines.length === 0 || isTooMany || task.isBusy.value}>
            {task.isBusy.value ? texts.sentences.comparing : texts.sentences.compare}
          </button>
          <span class={isTooMany ? 'bad' : 'hint'}>
            {isTooMany ? texts.sentences.tooMany(lines.length, MAX_LINES) : texts.sentences.count(lines.length)}
          </span>
        </div>
      </form>
      <Fault sentence={task.fault.value} onRetry={() => void compare()} />
      {comparison.value !== undefined && <Result comparison={comparison.value} />}
    </>
  )
}

function Result({
  comparison: { sentences, similarities, durationMs, revision }
}: {
  readonly comparison: Comparison
}) {
  const tokenCount = sentences.reduce((sum, sentence) => sum + sentence.tokenCount, 0)
  const calls = sentences.flatMap(({ call }) => (call === undefined ? [] : [call]))
  const cachedCount = calls.filter(({ timing }) => timing?.isCached).length
  const shown = sentences.slice(0, MAX_HEAT_MAP).map(({ text }) => text)
  return (
    <>
      <FigureRow
        figures={[
          { name: texts.sentences.figures.sentences, value: sentences.length },
          { name: texts.sentences.figures.tokens, value: tokenCount },
          { name: texts.sentences.figures.time, value: formatMs(durationMs) },
          {
            name: texts.sentences.figures.cached,
            value: calls.length === 0 ? '–' : formatPercent(cachedCount / calls.length)
          },
          { name: texts.sentences.figures.revision, value: <code class="small">{revision}</code> }
        ]}
      />
      {sentences.length > 1 && (
        <div class="columns">
          <section class="card wide">
            <h2>{texts.sentences.heatMap}</h2>
            {sentences.length > MAX_HEAT_MAP && <p class="hint">{texts.sentences.firstOnly(MAX_HEAT_MAP)}</p>}
            <HeatMap
              caption={texts.sentences.heatMapCaption}
              labels={shown}
              values={similarities.slice(0, MAX_HEAT_MAP).map((row) => row.slice(0, MAX_HEAT_MAP))}
            />
          </section>
          <section class="card">
            <h2>{texts.sentences.pairs}</h2>
            <PairList sentences={sentences} similarities={similarities} />
          </section>
          <section class="card">
            <h2>{texts.sentences.map}</h2>
            <SentenceMap sentences={sentences} />
          </section>
        </div>
      )}
      <section class="card">
        <h2>{texts.sentences.each}</h2>
        <SentenceTable sentences={sentences} />
      </section>
    </>
  )
}
