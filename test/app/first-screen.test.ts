/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What a person sees who starts the service at a terminal, and what a program reads that starts it under a pipe.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { temporaryFolder } from '../server/mentor-app.ts'
import { CTRL_C, NO_TERMINAL, startAtTerminal } from './terminal-service.ts'

const AT_TERMINAL = { skip: NO_TERMINAL }
const ENTRY = fileURLToPath(new URL('service-stand-in.ts', import.meta.url))
/** Colours and other looks, but not movements of the cursor. */
// oxlint-disable-next-line no-control-regex -- it is what is looked for
const LOOKS = /\u001B\[[\d;]*m/

/** The lines as they stand on the terminal. */
function linesOf(output: string): string[] {
  return output.split('\n').map((line) => stripVTControlCharacters(line.replace(/^.*\r(?!$)/, '')).trimEnd())
}

test(
  'at a terminal: lines for people, and once it is ready what it is, where, the key and a curl that works',
  AT_TERMINAL,
  async (t) => {
    const service = startAtTerminal(t, {})
    const output = await service.shown(/Ctrl-C stops it/)
    assert.match(output, LOOKS)
    assert.match(output, /Loading the model … 0\.\d s/)
    const lines = linesOf(output)
    assert.deepEqual(
      lines.filter((line) => line.startsWith('{')),
      [],
      'no JSON'
    )
    assert.ok(lines.some((line) => /^\d\d:\d\d:\d\d INFO {2}listening {2}address=http/.test(line)))
    assert.ok(!lines.some((line) => /(?:INFO|bound) *$/.test(line)), 'Fastify has no line of its own')
    assert.ok(!lines.some((line) => line.includes('Loading')), 'the line of progress is gone')
    const screen = lines.slice(lines.findIndex((line) => line.includes('is ready:')))
    assert.match(screen[0] ?? '', /^ {2}sbert-service \d+\.\d+\.\d+ is ready: /)
    assert.deepEqual(
      screen.filter((line) => line.length > 80),
      []
    )

    const told = screen.join('\n')
    const [, key = ''] = /^ {2}Key +(\S+) /m.exec(told) ?? []
    const [, header = '', url = ''] = /^ {2}curl -H '(.*)' \\\n {4}'(.*)'$/m.exec(told) ?? []
    assert.equal(header, `Authorization: Bearer ${key}`)
    const reply = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
    assert.equal(reply.status, 200)
    const [, link = '', linkKey] = /^ {4}(http\S+)#key=(\S+)$/m.exec(told) ?? []
    assert.equal(linkKey, key)
    assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/playground$/)
    const [, page = ''] = /^ {2}API page +(\S+)$/m.exec(told) ?? []
    assert.equal((await fetch(page)).status, 200)
    const later = linesOf(await service.shown(/GET \/v1\/encode/))
    assert.ok(
      later.some((line) => /^\S+ INFO {2}GET \/v1\/encode 200 \d+\.\d ms$/.test(line)),
      later.join('\n')
    )

    service.type(CTRL_C)
    assert.equal(await service.exited, 0)
    assert.match(linesOf(await service.shown(/stopped/)).join('\n'), /^\S+ INFO {2}stopped$/m)
  }
)

test('at a terminal: a key that was set is not shown', AT_TERMINAL, async (t) => {
  const service = startAtTerminal(t, { API_SECRET_KEY: 'hush-hush-key,other-key' })
  const output = await service.shown(/Ctrl-C stops it/)
  assert.match(output, /Key +yours, of API_SECRET_KEY/)
  assert.match(output, /curl -H "Authorization: Bearer \$API_KEY"/)
  assert.match(output, /http:\/\/127\.0\.0\.1:\d+\/playground\r?$/m)
  assert.ok(!output.includes('hush-hush') && !output.includes('other-key'))
})

test('at a terminal: NO_COLOR takes the colours away', AT_TERMINAL, async (t) => {
  const output = await startAtTerminal(t, { NO_COLOR: '1' }).shown(/Ctrl-C stops it/)
  assert.doesNotMatch(output, LOOKS)
})

test('at a terminal that cannot redraw a line, progress is a line of its own', AT_TERMINAL, async (t) => {
  const output = await startAtTerminal(t, { TERM: 'dumb' }).shown(/Ctrl-C stops it/)
  assert.equal(stripVTControlCharacters(output), output)
  assert.ok(linesOf(output).includes('Loading the model …'))
})

test('at a terminal: LOG_FORMAT=json logs JSON', AT_TERMINAL, async (t) => {
  const service = startAtTerminal(t, { LOG_FORMAT: 'json' })
  await service.shown(/The API is shown at/)
  const output = await service.shown(/"msg":"ready"\}\s/)
  const first = linesOf(output).find((line) => line.startsWith('{')) ?? ''
  assert.equal(JSON.parse(first).msg, 'starting')
  assert.doesNotMatch(output, /INFO/)
})

test(
  'at a terminal: a model that does not load is said, and the screen does not say that it is ready',
  AT_TERMINAL,
  async (t) => {
    const service = startAtTerminal(t, { STAND_IN: 'broken' })
    const lines = linesOf(await service.shown(/at .*start/))
    assert.ok(
      lines.some((line) => /^\S+ FATAL the model could not be loaded$/.test(line)),
      lines.join('\n')
    )
    assert.ok(lines.some((line) => line.includes('ServiceError: Cannot load the model: a flipped weight')))
    assert.ok(!lines.some((line) => line.includes('is ready')))
  }
)

test('under a pipe LOG_FORMAT=pretty writes lines for people, without a control character', async (t) => {
  const child = spawn(process.execPath, [ENTRY], {
    env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: await temporaryFolder(t), LOG_FORMAT: 'pretty' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const exited = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let output = ''
  for await (const bytes of child.stdout) {
    output += String(bytes)
    if (output.includes('Ctrl-C stops it')) break
  }
  assert.equal(stripVTControlCharacters(output), output)
  assert.match(output, /^\S+ INFO {2}starting/)
  assert.match(output, /^ {2}curl -H '.*' 'http.*'$/m)
})
