/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { test } from 'node:test'

import { Notifier } from '../../src/jobs/notifier.ts'

test('Notifier.notify() wakes everyone who waits', async () => {
  const notifier = new Notifier()
  const waiting = [notifier.wait(notifier.count, 600_000), notifier.wait(notifier.count, 600_000)]
  notifier.notify()
  await Promise.all(waiting)
})

test('Notifier.wait() does not miss a notification between the look and the wait', { timeout: 5000 }, async () => {
  const notifier = new Notifier()
  const { count } = notifier
  notifier.notify()
  await notifier.wait(count, 600_000)
})

test('Notifier.wait() ends at its time, and when its signal aborts', async () => {
  const notifier = new Notifier()
  await notifier.wait(notifier.count, 0)
  await notifier.wait(notifier.count, 1)
  await notifier.wait(notifier.count, 600_000, AbortSignal.abort())
  const stop = new AbortController()
  const waiting = notifier.wait(notifier.count, Number.POSITIVE_INFINITY, stop.signal)
  stop.abort()
  await waiting
})
