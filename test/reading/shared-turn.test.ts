/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sharedTurn } from '../../src/reading/shared-turn.ts'

test('sharedTurn() lets one caller go on in a turn of the event loop, in order', async () => {
  let turn = 0
  const counter = new AbortController()
  const count = async (): Promise<void> => {
    while (!counter.signal.aborted) {
      await nextTurn()
      turn += 1
    }
  }
  const counted = count()
  const turns: { readonly caller: string; readonly turn: number }[] = []
  const read = async (caller: string): Promise<void> => {
    for (let piece = 0; piece < 5; piece++) {
      await sharedTurn()
      turns.push({ caller, turn })
    }
  }
  await Promise.all([read('a'), read('b'), read('c')])
  counter.abort()
  await counted
  assert.equal(turns.map(({ caller }) => caller).join(''), 'abcabcabcabcabc')
  assert.equal(new Set(turns.map((one) => one.turn)).size, turns.length, 'no two in one turn')
})

test('sharedTurn() goes on after all callers have left', async () => {
  await sharedTurn()
  await nextTurn()
  await sharedTurn()
})
