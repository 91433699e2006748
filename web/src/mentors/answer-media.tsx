/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'
import type { GivenAnswer } from './mentor-calls.ts'

/** The recording of an answer, when it has one. */
export function AnswerMedia({ media }: { readonly media: GivenAnswer['answer_media'] }) {
  const video = media.web_media?.url ?? media.mobile_media?.url
  if (video === undefined || video === null) return null
  const subtitles = media.vtt_media?.url
  return (
    <div class="stack">
      <video controls preload="metadata" src={video} aria-label={texts.ask.video}>
        <track kind="captions" src={subtitles ?? undefined} />
      </video>
      <p class="hint">
        <a href={video} rel="noreferrer">
          {texts.ask.openVideo}
        </a>
      </p>
    </div>
  )
}
