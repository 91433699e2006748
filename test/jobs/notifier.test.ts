/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { test } from 'node:test'

import { Bell } from '../../src/jobs/notifier.ts'

test('Bell.ring() wakes everyone who waits', async () => {
  const bell = new Bell()
  const waiting = [bell.wait(bell.rings, 600_000), bell.wait(bell.rings, 600_000)]
  bell.ring()
  await Promise.all(waiting)
})

test('Bell.wait() does not miss a ring between the look and the wait', { timeout: 5000 }, async () => {
  const bell = new Bell()
  const { rings } = bell
  bell.ring()
  await bell.wait(rings, 600_000)
})

test('Bell.wait() ends at its time, and when its signal aborts', async () => {
  const bell = new Bell()
  await bell.wait(bell.rings, 0)
  await bell.wait(bell.rings, 1)
  await bell.wait(bell.rings, 600_000, AbortSignal.abort())
  const stop = new AbortController()
  const waiting = bell.wait(bell.rings, Number.POSITIVE_INFINITY, stop.signal)
  stop.abort()
  await waiting
})
