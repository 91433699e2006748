/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { send } from './ask.ts'
import { isLost } from './connection.ts'
import { pause } from './pause.ts'

const RETRY_MS = 2000

/**
 * Listens to server-sent events with the key, which the browser's own EventSource cannot carry, until it is told to stop.
 * After a loss it tries again.
 *
 * @param onFault told why there are no events: a sentence of the service, or that it does not answer
 */
export async function listenToEvents(
  path: string,
  signal: AbortSignal,
  onEvent: (data: string) => void,
  onFault: (error: unknown) => void
): Promise<void> {
  while (!signal.aborted) {
    try {
      const reply = await send({ method: 'GET', path, headers: { accept: 'text/event-stream' } }, signal)
      await readEvents(reply, onEvent)
    } catch (error) {
      if (signal.aborted) return
      onFault(error)
    }
    do await pause(RETRY_MS)
    while (isLost.value && !signal.aborted)
  }
}

async function readEvents(reply: Response, onEvent: (data: string) => void): Promise<void> {
  const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader()
  let unread = ''
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) return
    const events = (unread + part.value).split('\n\n')
    unread = events.pop() ?? ''
    for (const event of events) onEvent(event.replace(/^data: /, ''))
  }
}
