/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { formatPercent } from '../parts/format.ts'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { texts } from '../texts.ts'
import type { JudgedError } from './version-calls.ts'

const PAGE = 25

interface ErrorTableProps {
  readonly errors: readonly JudgedError[]
  readonly nameOf: (classId: string) => string
}

/** Questions that got a wrong answer, the most confident first. */
export function ErrorTable({ errors, nameOf }: ErrorTableProps) {
  const shownCount = useSignal(PAGE)
  if (errors.length === 0) return <p class="hint">{texts.evaluation.noErrors}</p>
  return (
    <>
      <ScrollRegion label={texts.evaluation.errors(errors.length)}>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{texts.evaluation.question}</th>
              <th scope="col">{texts.evaluation.meant}</th>
              <th scope="col">{texts.evaluation.got}</th>
              <th scope="col" class="end">
                {texts.evaluation.confidence}
              </th>
            </tr>
          </thead>
          <tbody>
            {errors
              .slice(0, shownCount.value)
              .map(({ question, classId, predictedId, confidence, isOffTopic }, index) => (
                <tr key={index}>
                  <td>{question}</td>
                  <td>{nameOf(classId)}</td>
                  <td>
                    {nameOf(predictedId)} {isOffTopic && <span class="tag">{texts.evaluation.refusedTag}</span>}
                  </td>
                  <td class="end number">{formatPercent(confidence)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </ScrollRegion>
      {errors.length > shownCount.value && (
        <button type="button" class="plain" onClick={() => (shownCount.value += PAGE * 4)}>
          {texts.evaluation.more(errors.length - shownCount.value)}
        </button>
      )}
    </>
  )
}
