/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seconds, type Fault, type Finding } from './fault.ts'
import { posted, type Lab, type Running } from './lab.ts'

const ROUNDS = { quick: 2, full: 8 }
const SETTLE_MS = 90_000

/** What the service has accepted. */
interface Accepted {
  readonly jobs: Map<string, string>
  readonly trainings: string[]
  /** Answers of the mentor as it was last put, and as it was being put when the process died. */
  mentor: string[]
  promoted: number[]
}

/** Random kills while jobs, uploads, trainings and promotions are under way, all on one folder. */
async function killAtRandom(lab: Lab, isQuick: boolean): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'fault-kill-'))
  lab.after(async () => rm(folder, { recursive: true }))
  const env = { DATA_DIR: folder, JOBS_LEASE_SECONDS: '5' }
  const accepted: Accepted = { jobs: new Map(), trainings: [], mentor: [], promoted: [] }
  const rounds = isQuick ? ROUNDS.quick : ROUNDS.full
  for (let round = 0; round < rounds; round += 1) {
    const running = await lab.start({ env })
    const over = new AbortController()
    const clients = [
      enqueueJobs(running, accepted, round, over.signal),
      putAndTrain(running, accepted, round, over.signal),
      promote(running, accepted, over.signal)
    ]
    await sleep(300 + lab.random.below(2500))
    if (round === rounds - 1) await untilPromoted(accepted)
    running.service.child.kill('SIGKILL')
    over.abort()
    await Promise.all(clients)
    await running.service.exited
  }
  const beganMs = performance.now()
  const running = await lab.start({ env })
  const readyMs = performance.now() - beganMs
  await everythingDone(running, accepted)
  const doneMs = performance.now() - beganMs
  const counts = `${accepted.jobs.size} jobs, ${accepted.trainings.length} trainings, ${accepted.mentor.length} uploads, ${accepted.promoted.length} promotions`
  assert.ok(accepted.jobs.size > 0 && accepted.mentor.length > 0 && accepted.promoted.length > 0, counts)
  return {
    seen: `${rounds} kills; open connections break off, and are refused until the next start`,
    lost: `nothing of ${counts} that were accepted`,
    recovery: `ready after ${seconds(readyMs)}, all work done after ${seconds(doneMs)}`
  }
}

/** Waits for the first accepted promotion, so that the last kill cannot come before there is one to lose. */
async function untilPromoted({ promoted }: Accepted): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS
  while (promoted.length === 0) {
    assert.ok(performance.now() < deadlineMs, 'no version was promoted')
    await sleep(50)
  }
}

/** Runs until it is over; what breaks off was not accepted. */
async function until(signal: AbortSignal, once: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await once()
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
    }
    await sleep(5)
  }
}

async function enqueueJobs({ ask }: Running, { jobs }: Accepted, round: number, signal: AbortSignal): Promise<void> {
  let count = 0
  await until(signal, async () => {
    count += 1
    const text = `job ${round} ${count}`
    const reply = await ask('/v1/jobs', posted({ type: 'encode', input: { sentences: [text] } }))
    if (reply.status === 202) jobs.set(JSON.parse(reply.text).id, text)
  })
}

async function putAndTrain({ ask }: Running, accepted: Accepted, round: number, signal: AbortSignal): Promise<void> {
  let count = 0
  await until(signal, async () => {
    count += 1
    const mark = `upload ${round} ${count}`
    const rows = Array.from({ length: 6 }, (_, index) => `a${index},Question number ${index}?,${mark}`)
    const init = {
      method: 'PUT',
      headers: { 'content-type': 'text/csv' },
      body: `id,question,answer\n${rows.join('\n')}`
    }
    accepted.mentor.push(mark)
    const put = await ask('/mentors/killed', init)
    if (put.status === 200) accepted.mentor = [mark]
    const train = await ask('/train', posted({ mentor: 'killed', arch: 'ridge', force: true }))
    if (train.status === 200) accepted.trainings.push(JSON.parse(train.text).data.id)
    await sleep(200)
  })
}

async function promote({ ask }: Running, accepted: Accepted, signal: AbortSignal): Promise<void> {
  await until(signal, async () => {
    const { status, text } = await ask('/mentors/killed/versions')
    if (status !== 200) return
    const { data }: { data: { versions: { version: number }[] } } = JSON.parse(text)
    const newest = data.versions.toSorted((a, b) => b.version - a.version)[0]
    if (newest === undefined) return
    const reply = await ask(`/mentors/killed/versions/${newest.version}/promote`, posted({ force: true }))
    if (reply.status === 200) accepted.promoted.push(newest.version)
    await sleep(50)
  })
}

async function everythingDone({ ask }: Running, { jobs, trainings, mentor, promoted }: Accepted): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS
  for (const [id, text] of jobs) {
    for (;;) {
      const { status, text: json } = await ask(`/v1/jobs/${id}`)
      assert.equal(status, 200, `job ${id} is gone`)
      const job: { status: string } = JSON.parse(json)
      if (job.status === 'SUCCESS') break
      assert.notEqual(job.status, 'FAILURE', json)
      assert.ok(performance.now() < deadlineMs, `job ${id} is not done: ${json}`)
      await sleep(50)
    }
    assert.ok((await ask(`/v1/jobs/${id}/result`)).text.includes(`"original":"${text}"`), `result of job ${id}`)
  }
  for (const id of trainings) {
    for (;;) {
      const { status, text } = await ask(`/train/status/${id}`)
      assert.equal(status, 200, `training ${id} is gone`)
      if (/"status":"(?:SUCCESS|FAILURE)"/.test(text)) break
      assert.ok(performance.now() < deadlineMs, `training ${id} is not done: ${text}`)
      await sleep(50)
    }
  }
  if (mentor.length > 0) {
    const { text } = await ask('/trainingdata/killed')
    assert.ok(
      mentor.some((mark) => text.includes(mark)),
      `the mentor is neither as it was last put nor as it was being put: ${text.slice(0, 200)}`
    )
  }
  if (promoted.length > 0) {
    const { status, text } = await ask('/questions?mentor=killed&query=Question%20number%203%3F')
    assert.equal(status, 200, text)
  }
}

/** A signal to stop while calls are under way. */
async function stopUnderLoad(lab: Lab): Promise<Finding> {
  const running = await lab.start()
  const statuses: number[] = []
  let brokenCount = 0
  const over = new AbortController()
  const client = async (name: number): Promise<void> => {
    for (let call = 0; !over.signal.aborted; call += 1) {
      const sentences = Array.from({ length: 8 }, (_, index) => `client ${name} call ${call} sentence ${index}`)
      const accepted = running.ask('/v1/encode/multiple_encode', posted({ sentences }))
      await accepted.then(
        ({ status }) => void statuses.push(status),
        (error: unknown) => {
          // Refused connections come after the stop; what was under way must be answered.
          if (!isRefused(error)) brokenCount += 1
          over.abort()
        }
      )
    }
  }
  const clients = Array.from({ length: 8 }, (_, name) => client(name))
  await sleep(500 + lab.random.below(500))
  const beganMs = performance.now()
  running.service.child.kill('SIGTERM')
  const [code] = await running.service.exited
  const tookMs = performance.now() - beganMs
  over.abort()
  await Promise.all(clients)
  assert.equal(code, 0)
  const wrong = statuses.filter((status) => status !== 200)
  assert.deepEqual(wrong, [])
  return {
    seen: `${statuses.length} calls answered 200, ${brokenCount} broken off; later ones find the port closed`,
    lost: 'nothing that was under way',
    recovery: `stopped after ${seconds(tookMs)}`
  }
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  // A kept connection may be closed in the moment in which the next request is written on it.
  return code === 'ECONNREFUSED' || code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

/** The process is killed, or told to stop. */
export const KILL_FAULTS: readonly Fault[] = [
  { name: 'kill -9 at random, under jobs, uploads, trainings and promotions', isQuick: true, run: killAtRandom },
  { name: 'SIGTERM under load', isQuick: true, run: stopUnderLoad }
]
