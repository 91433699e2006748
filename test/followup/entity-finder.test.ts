/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_READ_CHARACTERS, ThreadedEntityFinder } from '../../src/followup/entity-finder.ts'
import { ServiceError } from '../../src/errors.ts'

/** A thread that does this with each text. */
function threadThat(does: string): URL {
  const code = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${does} })`
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`)
}

test('a thread finds entities, and begins anew after it has ended', async (t) => {
  const finder = new ThreadedEntityFinder({ idleMs: 1 })
  t.after(() => finder.close())
  const first = await finder.find('I met Hector in Nairobi.')
  assert.deepEqual(
    first.map(({ type, text }) => [type, text]),
    [
      ['person', 'Hector'],
      ['place', 'Nairobi']
    ]
  )
  assert.equal(await finder.find('I met Hector in Nairobi.'), first, 'remembered')
  const several = await Promise.all(['I love Sitka.', 'I went to Oslo.', ''].map((text) => finder.find(text)))
  assert.deepEqual(
    several.map((mentions) => mentions.length),
    [1, 1, 0]
  )
})

test('a text is read so far, and no further', async (t) => {
  const finder = new ThreadedEntityFinder()
  t.after(() => finder.close())
  const start = 'I met Hector. '
  const mentions = await finder.find(`${start}${' '.repeat(MAX_READ_CHARACTERS - start.length)}I met Maria.`)
  assert.deepEqual(
    mentions.map(({ text }) => text),
    ['Hector']
  )
})

test('a text that takes too long is given up, and the next one has a new thread', async (t) => {
  const finder = new ThreadedEntityFinder({ workerUrl: threadThat('for (;;);'), textDeadlineMs: 50 })
  t.after(() => finder.close())
  const both = await Promise.allSettled([finder.find('one'), finder.find('two')])
  for (const one of both) assert.ok(one.status === 'rejected' && one.reason instanceof ServiceError)
})

test('a thread that fails fails its text alone', async (t) => {
  const finder = new ThreadedEntityFinder({ workerUrl: threadThat('throw new Error("broken")') })
  t.after(() => finder.close())
  await assert.rejects(finder.find('one'), /broken/)
  await assert.rejects(finder.find('two'), /broken/)
})
