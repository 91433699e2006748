/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { CannotTry, seconds, type Fault, type Finding } from './fault.ts'
import { HealthWatch } from './health-watch.ts'
import { posted, type Lab, type Running } from './lab.ts'

const run = promisify(execFile)
const MB = 1_048_576
const DISK_MB = 48
const LOCKED_MS = 4000

const aJob = (text: string): RequestInit => posted({ type: 'encode', input: { sentences: [text] } })

/** The disk is filled by something else, then freed. */
async function fullDisk(lab: Lab): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'fault-disk-'))
  lab.after(async () => rm(folder, { recursive: true }))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder])
  } catch (error) {
    throw new CannotTry(`no small disk can be mounted here: ${error instanceof Error ? error.message : String(error)}`)
  }
  lab.after(async () => void (await run('umount', ['-l', folder])))
  const running = await lab.start({ env: { DATA_DIR: folder, JOBS_RESERVE_BYTES: String(4 * MB) } })
  const accepted = await enqueue(running, 20)
  const filler = join(folder, 'filler')
  await fill(filler)
  const refused = await untilStatus(running, aJob('too many'), (status) => status === 503)
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/)
  assert.equal((await running.ask('/v1/encode?query=goes%20on')).status, 200)
  const put = await running.ask('/mentors/m', {
    method: 'PUT',
    headers: { 'content-type': 'text/csv' },
    body: `id,question,answer\na,Q?,${'x'.repeat(900_000)}`
  })
  assert.ok(put.status === 503 || put.status === 200, put.text)
  for (let tries = 0; !(await running.ask('/health/ready')).text.includes('disk is full'); tries += 1) {
    assert.ok(tries < 100, 'readiness does not say that the disk is full')
    await sleep(100)
  }
  await rm(filler)
  const beganMs = performance.now()
  await untilStatus(running, aJob('again'), (status) => status === 202)
  const tookMs = performance.now() - beganMs
  await allDone(running, accepted)
  return {
    seen: 'new jobs 503 with `Retry-After`, readiness says why; encoding goes on',
    lost: `nothing of ${accepted.length} jobs accepted before`,
    recovery: `${seconds(tookMs)} after there is room`
  }
}

async function fill(path: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (const bytes of [MB, 65_536, 4096]) {
      try {
        for (;;) await file.write(Buffer.alloc(bytes, 1))
      } catch {
        // The disk is full, for pieces of this size.
      }
    }
  } finally {
    await file.close()
  }
}

/** Another program holds the databases' write locks for some seconds. */
async function lockedDatabases(lab: Lab): Promise<Finding> {
  const running = await lab.start()
  const accepted = await enqueue(running, 5)
  const files = ['sbert-service.db', 'mentors.db'].map((name) => join(running.service.dataDir, name))
  const locks = files.map((path) => new DatabaseSync(path, { timeout: 5000 }))
  for (const lock of locks) lock.exec('BEGIN IMMEDIATE')
  const watch = await HealthWatch.start(running.origin)
  const put = running.ask('/mentors/locked', {
    method: 'PUT',
    headers: { 'content-type': 'text/csv' },
    body: 'id,question,answer\na,Why?,Because.'
  })
  const job = running.ask('/v1/jobs', aJob('while locked'))
  const asked = await Promise.all([
    running.ask('/v1/encode?query=while%20locked'),
    running.ask('/mentors'),
    sleep(LOCKED_MS)
  ])
  assert.equal(asked[0].status, 200)
  for (const lock of locks) lock.close()
  const beganMs = performance.now()
  const [putReply, jobReply] = await Promise.all([put, job])
  const health = await watch.stop()
  for (const { status, text } of [putReply, jobReply]) assert.ok([200, 202, 503].includes(status), text)
  assert.ok(health.worstMs < 1000, `health took ${Math.round(health.worstMs)} ms`)
  await untilStatus(running, aJob('after'), (status) => status === 202)
  const tookMs = performance.now() - beganMs
  await allDone(running, accepted)
  return {
    seen: `an upload ${putReply.status}, a job ${jobReply.status}; encoding 200, health within ${Math.round(health.worstMs)} ms`,
    lost: 'nothing',
    recovery: `${seconds(tookMs)} after the locks are gone`
  }
}

/** A database whose bytes are wrong: the start says which, and overwrites nothing. */
async function corruptDatabase(lab: Lab): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'fault-corrupt-'))
  lab.after(async () => rm(folder, { recursive: true }))
  const path = join(folder, 'sbert-service.db')
  const bytes = Buffer.alloc(8192, lab.random.below(256))
  await writeFile(path, bytes)
  const beganMs = performance.now()
  await assert.rejects(lab.start({ env: { DATA_DIR: folder }, untilReady: false }), /Cannot open the store of jobs/)
  const tookMs = performance.now() - beganMs
  const kept = await open(path)
  const { buffer } = await kept.read(Buffer.alloc(8192), 0, 8192, 0)
  await kept.close()
  assert.ok(buffer.equals(bytes), 'the file was changed')
  await rm(path)
  const running = await lab.start({ env: { DATA_DIR: folder } })
  assert.equal((await running.ask('/v1/jobs', aJob('after'))).status, 202)
  return {
    seen: `the start ends after ${seconds(tookMs)} with status 1 and says which store`,
    lost: 'nothing: the file is left as it is',
    recovery: 'a start with the file restored or moved away'
  }
}

async function enqueue({ ask }: Running, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index += 1) {
    const reply = await ask('/v1/jobs', aJob(`job ${index}`))
    assert.equal(reply.status, 202, reply.text)
    ids.push(JSON.parse(reply.text).id)
  }
  return ids
}

async function untilStatus({ ask }: Running, init: RequestInit, isWanted: (status: number) => boolean) {
  for (let tries = 0; ; tries += 1) {
    const reply = await ask('/v1/jobs', init)
    if (isWanted(reply.status)) return reply
    assert.ok(tries < 300, `still ${reply.status}: ${reply.text}`)
    await sleep(200)
  }
}

async function allDone({ ask }: Running, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    for (let tries = 0; ; tries += 1) {
      const { text } = await ask(`/v1/jobs/${id}`)
      if (text.includes('"SUCCESS"')) break
      assert.ok(tries < 300 && !text.includes('"FAILURE"'), text)
      await sleep(100)
    }
  }
}

/** What can happen to the files. */
export const DISK_FAULTS: readonly Fault[] = [
  { name: 'the disk is full, then freed', isQuick: true, run: fullDisk },
  { name: 'the databases are locked by another program', isQuick: true, run: lockedDatabases },
  { name: 'a database is corrupt', isQuick: true, run: corruptDatabase }
]
