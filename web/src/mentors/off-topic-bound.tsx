/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { Fault } from '../parts/fault.tsx'
import { withJson } from '../service/service-request.ts'
import { useTask } from '../service/use-task.ts'
import { texts } from '../texts.ts'
import { isTraining, train } from '../versions/training.ts'
import type { OffTopicBound } from '../versions/version-calls.ts'
import { mentorPath } from './mentor-calls.ts'

/** What an owner may ask of the off-topic threshold; `default` is the one that serves most mentors. */
const KINDS = ['default', 'answerGood', 'refuseNonsense'] as const
type Kind = (typeof KINDS)[number]

/** What is offered before a share was chosen. */
const USUAL_PERCENT = 90

interface OffTopicBoundFormProps {
  /** The mentor. */
  readonly id: string
  /** What the version keeps to; null is the default. */
  readonly bound: OffTopicBound | null
}

/** What a mentor's off-topic threshold is to keep to: chosen here, and learned by a training. */
export function OffTopicBoundForm({ id, bound }: OffTopicBoundFormProps) {
  const kept = keptOf(bound)
  const kind = useSignal<Kind>(kept.kind)
  const percent = useSignal(kept.percent)
  const task = useTask()
  const start = (): void => {
    const offTopic = kind.value === 'default' ? null : { [kind.value]: percent.value / 100 }
    void task.run(async () => {
      const { ended } = await train(mentorPath(id), withJson('POST', '/train', { mentor: id, offTopic }))
      await ended
    })
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        start()
      }}
    >
      <div class="row end-aligned">
        <label class="field grow">
          <span>{texts.offTopicBound.label}</span>
          <select
            value={kind.value}
            onChange={(event) => (kind.value = KINDS.find((one) => one === event.currentTarget.value) ?? 'default')}
          >
            {KINDS.map((name) => (
              <option key={name} value={name}>
                {texts.offTopicBound.kinds[name]}
              </option>
            ))}
          </select>
        </label>
        {kind.value !== 'default' && (
          <label class="field">
            <span>{texts.offTopicBound.percent}</span>
            <input
              type="number"
              min="1"
              max="99"
              step="1"
              required
              value={percent.value}
              onInput={(event) => (percent.value = event.currentTarget.valueAsNumber)}
            />
          </label>
        )}
        <button type="submit" disabled={task.isBusy.value || isTraining(mentorPath(id))}>
          {texts.offTopicBound.train}
        </button>
      </div>
      <p class="hint">{texts.offTopicBound.hint}</p>
      <Fault sentence={task.fault.value} />
    </form>
  )
}

function keptOf(bound: OffTopicBound | null): { kind: Kind; percent: number } {
  if (bound === null) return { kind: 'default', percent: USUAL_PERCENT }
  return 'answerGood' in bound
    ? { kind: 'answerGood', percent: Math.round(bound.answerGood * 100) }
    : { kind: 'refuseNonsense', percent: Math.round(bound.refuseNonsense * 100) }
}
