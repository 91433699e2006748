/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ScrollRegion } from '../parts/scroll-region.tsx'
import { texts } from '../texts.ts'
import { lastUpload } from './last-upload.ts'

/** What the last upload of a mentor left out, by line. */
export function UploadReport({ id }: { readonly id: string }) {
  const report = lastUpload.value
  if (report?.mentor !== id) return null
  const { answerCount, phraseCount, problems, leftOutCount, dropped } = report
  const isWhole = problems.length === 0 && leftOutCount === 0 && dropped === undefined
  return (
    <section class={`notice ${isWhole ? 'notice-good' : 'notice-warn'}`} aria-label={texts.upload.title}>
      <p role="status">{texts.upload.stored(answerCount, phraseCount)}</p>
      <button type="button" class="plain small" onClick={() => (lastUpload.value = undefined)}>
        {texts.upload.close}
      </button>
      {leftOutCount > 0 && <p class="whole">{texts.upload.leftOut(leftOutCount)}</p>}
      {dropped !== undefined && <p class="whole">{texts.upload.dropped(dropped.rows, dropped.columns)}</p>}
      {problems.length > 0 && (
        <div class="whole">
          <ScrollRegion label={texts.upload.problems}>
            <ul class="plain-list">
              {problems.map(({ line, message }, index) => (
                <li key={index}>{texts.upload.problem(line, message)}</li>
              ))}
            </ul>
          </ScrollRegion>
        </div>
      )}
    </section>
  )
}
