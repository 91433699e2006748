/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logRequest } from '../../src/server/request-log.ts'
import { createTerminalLog, terminalLine } from '../../src/server/terminal-log.ts'

/** A log without colours, and what it has written; the clock is left out. */
function openLog(level = 'info') {
  const written: string[] = []
  const screen = { hasColors: false, write: (text: string) => void written.push(text.replace(/^\d\d:\d\d:\d\d /, '')) }
  return { ...createTerminalLog(level, screen), written }
}

test('createTerminalLog() writes a line with the level, the message and its fields', () => {
  const { logger, written } = openLog()
  logger.info({ address: 'http://127.0.0.1:8080' }, 'listening')
  logger.warn({ reason: 'no compiler here', count: 3, list: ['a'] }, 'slow')
  logger.debug('not at this level')
  assert.deepEqual(written, [
    'INFO  listening  address=http://127.0.0.1:8080\n',
    'WARN  slow  reason="no compiler here" count=3 list=["a"]\n'
  ])
})

test('createTerminalLog() writes requests in short, and their addresses’ patterns alone', () => {
  const { logger, written } = openLog()
  logRequest(logger, { reqId: 'r-1', method: 'GET', route: '/v1/encode', statusCode: 200, durationMs: 1.25 })
  logRequest(logger, { reqId: 'r-2', method: 'GET', route: undefined, statusCode: 404, durationMs: 0 })
  assert.deepEqual(written, ['INFO  GET /v1/encode 200 1.3 ms\n', 'INFO  GET an unknown address 404 0.0 ms\n'])
})

test('createTerminalLog() shows an error with its stack, and no settings', () => {
  const { logger, written } = openLog()
  logger.fatal({ err: new Error('flipped weight'), config: { port: 1 } }, 'the model could not be loaded')
  const [line = ''] = written
  assert.match(line, /^FATAL the model could not be loaded\n {9}Error: flipped weight\n {9}at /)
  assert.ok(!line.includes('port'))
})

test('createTerminalLog() redacts what JSON lines redact', () => {
  const { logger, written } = openLog()
  logger.info({ apiSecretKey: 'hush', headers: { authorization: 'Bearer hush' } }, 'called')
  assert.match(written.join(''), /^INFO {2}called {2}/)
  assert.ok(!written.join('').includes('hush'))
})

test('terminalLine() shows control characters: a terminal does not obey what somebody’s text says', () => {
  const evil = '\u001B[2J\u0007\u009B31m\r\n'
  const entry = { level: 30, time: 0, msg: evil, [evil]: evil, err: { stack: `Error: ${evil}\n at x` } }
  const line = terminalLine(JSON.stringify(entry), false)
  // oxlint-disable-next-line no-control-regex -- it is what is looked for
  assert.doesNotMatch(line, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
  assert.match(line, /\\x1b\[2J\\x07\\x9b31m/)
})

test('terminalLine() leaves what is no log entry as it is', () => {
  for (const line of ['{"_aws":{}}\n', 'plain\n', '[1]\n', 'null\n']) assert.equal(terminalLine(line, true), line)
})

test('terminalLine() colours the level and a request’s status', () => {
  const entry = { level: 30, time: 0, msg: 'request', method: 'GET', route: '/', statusCode: 500, durationMs: 1 }
  const line = terminalLine(JSON.stringify(entry), true)
  assert.ok(line.includes('\u001B[32mINFO \u001B[39m') && line.includes('\u001B[31m500\u001B[39m'))
})
