/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { formatMs } from '../parts/format.ts'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { texts } from '../texts.ts'
import { MAX_SINGLE_CALLS, type ComparedSentence } from './compare-sentences.ts'

/** Each sentence with its tokens, and the call that encoded it. */
export function SentenceTable({ sentences }: { readonly sentences: readonly ComparedSentence[] }) {
  const hasCalls = sentences.some(({ call }) => call !== undefined)
  const { columns } = texts.sentences
  return (
    <>
      {!hasCalls && <p class="hint">{texts.sentences.oneCall(MAX_SINGLE_CALLS)}</p>}
      <ScrollRegion label={texts.sentences.each}>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">{columns.sentence}</th>
              <th scope="col" class="end">
                {columns.tokens}
              </th>
              {hasCalls && (
                <>
                  <th scope="col" class="end">
                    {columns.time}
                  </th>
                  <th scope="col" class="end">
                    {columns.inference}
                  </th>
                  <th scope="col">{columns.cache}</th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {sentences.map((sentence, index) => (
              <SentenceRow key={index} number={index + 1} sentence={sentence} hasCalls={hasCalls} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </>
  )
}

interface SentenceRowProps {
  readonly number: number
  readonly sentence: ComparedSentence
  readonly hasCalls: boolean
}

function SentenceRow({ number, sentence: { text, tokenCount, isTruncated, call }, hasCalls }: SentenceRowProps) {
  return (
    <tr>
      <td class="muted">{number}</td>
      <td>{text}</td>
      <td class="end number">
        {tokenCount} {isTruncated && <span class="tag tag-warn">{texts.sentences.truncated}</span>}
      </td>
      {hasCalls && (
        <>
          <td class="end number">{call && formatMs(call.durationMs)}</td>
          <td class="end number">{call?.timing && formatMs(call.timing.inferenceMs)}</td>
          <td>
            {call?.timing?.isCached === true ? (
              <span class="tag tag-good">{texts.sentences.hit}</span>
            ) : (
              <span class="tag">{texts.sentences.computed}</span>
            )}
          </td>
        </>
      )}
    </tr>
  )
}
