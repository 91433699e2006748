/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { CannotTry, seconds, type Fault, type Finding } from './fault.ts'
import { posted, type Lab } from './lab.ts'

const run = promisify(execFile)
/** Paths of libfaketime, which replaces the clock (Debian package faketime). */
const FAKETIME = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1'
]

/** The clock of the machine jumps a day ahead and back while jobs are at work. */
async function clockJumps(lab: Lab): Promise<Finding> {
  const library = await findLibrary()
  const folder = await mkdtemp(join(tmpdir(), 'fault-clock-'))
  lab.after(async () => rm(folder, { recursive: true }))
  const clock = join(folder, 'clock')
  await writeFile(clock, '+0')
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    JOBS_LEASE_SECONDS: '5'
  }
  const running = await lab.start({ env })
  const ids: string[] = []
  let worstMs = 0
  for (const offset of ['+0', '+1d', '-1d', '+0']) {
    await writeFile(clock, offset)
    for (let index = 0; index < 10; index += 1) {
      const sentences = Array.from({ length: 200 }, (_, row) => `clock ${offset} ${index} ${row}`)
      const reply = await running.ask('/v1/jobs', posted({ type: 'encode', input: { sentences } }))
      assert.equal(reply.status, 202, reply.text)
      ids.push(JSON.parse(reply.text).id)
    }
    const beganMs = performance.now()
    assert.equal((await running.ask(`/v1/encode?query=${encodeURIComponent(offset)}`)).status, 200)
    worstMs = Math.max(worstMs, performance.now() - beganMs)
    await sleep(1500)
  }
  const beganMs = performance.now()
  for (const id of ids) {
    for (let tries = 0; ; tries += 1) {
      const { status, text } = await running.ask(`/v1/jobs/${id}`)
      assert.equal(status, 200, text)
      const job: { status: string; attempts: number } = JSON.parse(text)
      if (job.status === 'SUCCESS') break
      assert.ok(job.status !== 'FAILURE' && tries < 600, text)
      await sleep(100)
    }
  }
  return {
    seen: `nothing: encoding within ${Math.round(worstMs)} ms`,
    lost: `nothing of ${ids.length} jobs`,
    recovery: `all jobs done ${seconds(performance.now() - beganMs)} after the last jump`
  }
}

async function findLibrary(): Promise<string> {
  for (const path of FAKETIME) {
    try {
      await run('/bin/true', { env: { LD_PRELOAD: path } })
      readFileSync(path)
      return path
    } catch {
      // Looked for at the next place.
    }
  }
  throw new CannotTry('the clock cannot be faked here: install Debian’s package faketime')
}

/** A thread that computes is sent the signal of a broken pointer: the process ends, and what was under way is done again. */
async function threadSignalled(lab: Lab): Promise<Finding> {
  const running = await lab.start({ env: { ENCODE_WORKERS: '2' } })
  const { pid } = running.service.child
  const sentences = Array.from(
    { length: 2000 },
    (_, index) => `sentence ${index} of a batch ${'with many words '.repeat(8)}`
  )
  const job = await running.ask('/v1/jobs', posted({ type: 'encode', input: { sentences } }))
  assert.equal(job.status, 202)
  await sleep(500)
  const threads = readdirSync(`/proc/${pid}/task`).filter((tid) => isEncoder(pid, tid))
  assert.ok(threads.length > 0, 'no thread of the encoder was found')
  await run('/bin/kill', ['-SEGV', lab.random.pick(threads)])
  const [code, signal] = await running.service.exited
  const env = { DATA_DIR: running.service.dataDir, JOBS_LEASE_SECONDS: '5' }
  const beganMs = performance.now()
  const again = await lab.start({ env })
  const { id }: { id: string } = JSON.parse(job.text)
  for (let tries = 0; ; tries += 1) {
    const { text } = await again.ask(`/v1/jobs/${id}`)
    if (text.includes('"SUCCESS"')) break
    assert.ok(tries < 900 && !text.includes('"FAILURE"'), text)
    await sleep(100)
  }
  return {
    seen: `the process stops (${signal ?? `status ${String(code)}`}), connections end`,
    lost: 'nothing: the job under way was done after the next start',
    recovery: `the job was done ${seconds(performance.now() - beganMs)} after the next start began`
  }
}

/** Encoder threads have a lower priority than all others. */
function isEncoder(pid: number | undefined, tid: string): boolean {
  const fields = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[16]) > 0
}

/** What can happen to the machine and the threads. */
export const MACHINE_FAULTS: readonly Fault[] = [
  { name: 'SIGSEGV to a thread of the encoder in a batch', isQuick: false, run: threadSignalled },
  { name: 'the clock jumps a day ahead and a day back', isQuick: false, run: clockJumps }
]
