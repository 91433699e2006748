/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openTerminal, Terminal } from '../../src/app/terminal.ts'

const CLEAR_LINE = '\r\u001B[K'

/** A terminal of some width, and the pieces that it was sent. */
function openTestTerminal(t: TestContext, columns = 80) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const sent: string[] = []
  const stream = { isTTY: true, columns, hasColors: () => true, write: (text: string) => sent.push(text) }
  return { terminal: new Terminal(stream, { TERM: 'xterm' }), sent, tick: (ms: number) => t.mock.timers.tick(ms) }
}

test('Terminal: lines are written above the line of progress, which is drawn again', (t) => {
  const { terminal, sent } = openTestTerminal(t)
  terminal.write('before\n')
  terminal.startProgress('Loading')
  terminal.write('meanwhile\n')
  terminal.endProgress()
  terminal.write('after\n')
  const [before, drawn = '', meanwhile = '', cleared, after] = sent
  assert.deepEqual([before, cleared, after], ['before\n', CLEAR_LINE, 'after\n'])
  assert.match(drawn, /^\S Loading … 0\.\d s$/)
  assert.ok(meanwhile.startsWith(`${CLEAR_LINE}meanwhile\n`) && /\S Loading … 0\.\d s$/.test(meanwhile))
})

test('Terminal: progress is redrawn until it ends', (t) => {
  const { terminal, sent, tick } = openTestTerminal(t)
  terminal.startProgress('Loading')
  tick(250)
  assert.equal(sent.filter((text) => text.startsWith(`${CLEAR_LINE}⠋ Loading`)).length, 2)
  terminal.endProgress()
  const count = sent.length
  tick(1000)
  terminal.endProgress()
  assert.equal(sent.length, count)
})

test('Terminal: progress does not wrap, or clearing it would leave a line', (t) => {
  const { terminal, sent } = openTestTerminal(t, 20)
  terminal.startProgress('Loading something with a long name')
  assert.equal(sent[0]?.length, 19)
})

test('openTerminal() takes a terminal for one, unless LOG_FORMAT says otherwise', () => {
  const at = { isTTY: true, write: () => true }
  const pipe = { write: () => true }
  const isOpened = (format: 'auto' | 'pretty' | 'json', stream: typeof at | typeof pipe): boolean =>
    openTerminal(format, stream, {}) !== undefined
  assert.deepEqual([isOpened('auto', at), isOpened('pretty', at), isOpened('json', at)], [true, true, false])
  assert.deepEqual([isOpened('auto', pipe), isOpened('pretty', pipe), isOpened('json', pipe)], [false, true, false])
})
