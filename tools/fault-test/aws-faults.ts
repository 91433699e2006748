/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  EMULATOR_ENVIRONMENT,
  missingTools,
  startEmulators,
  stopEmulators,
  type Emulators
} from '../../test/emulators/emulators.ts'
import { createJobResources } from '../../test/emulators/job-resources.ts'
import { CannotTry, seconds, type Fault, type Finding } from './fault.ts'
import { AWS_FAULTS, FaultyProxy, type AwsFault, type AwsService } from './faulty-proxy.ts'
import { HealthWatch } from './health-watch.ts'
import { posted, type Lab, type Running } from './lab.ts'

const NAMES = { sqs: 'SQS', dynamodb: 'DynamoDB', s3: 'S3' } as const
/** Questions that no phrase matches, so that the review lists them. */
const QUESTIONS = ['In which town did your life begin?', 'What is your favourite dish?', 'Tell me your age']
const TABLE = [
  'id,question,answer',
  'a,Where were you born?,In Bergen.',
  'b,What do you eat?,Fish.',
  'c,How old are you?,Forty-three.'
].join('\n')
/** More than an item of DynamoDB may have: they go to S3. */
const LARGE_SENTENCES = Array.from({ length: 4 }, (_, index) => `sentence ${index} `.padEnd(60_000, 'of a large job '))
const DONE_WITHIN_MS = 180_000
const ANSWERED_WITHIN_MS = 60_000

/** The emulators take seconds to start: all faults share them, each with a table, queues and a bucket of its own. */
let shared: Promise<Emulators> | undefined

/** Ends what the faults of AWS have started. */
export async function endEmulators(): Promise<void> {
  if (shared !== undefined) await stopEmulators(await shared)
}

/** The real service on AWS, each service of which can go wrong. */
async function startOnAws(lab: Lab): Promise<{ running: Running; proxies: Record<AwsService, FaultyProxy> }> {
  const missing = await missingTools()
  if (missing !== undefined) throw new CannotTry(missing)
  Object.assign(process.env, EMULATOR_ENVIRONMENT)
  const emulators = await (shared ??= startEmulators())
  const name = `fault-${crypto.randomUUID()}`
  const { queueUrl, bulkQueueUrl = '', deadLetterQueueUrl = '' } = await createJobResources(emulators, name)
  const [sqs, dynamodb, s3] = await Promise.all([
    FaultyProxy.listen(emulators.sqs.url, 'sqs'),
    FaultyProxy.listen(emulators.dynamodb.url, 'dynamodb'),
    FaultyProxy.listen(emulators.s3.url, 's3')
  ])
  const proxies = { sqs, dynamodb, s3 }
  for (const proxy of Object.values(proxies)) lab.after(async () => proxy[Symbol.asyncDispose]())
  // The SDK asks where the address of a queue says.
  const queue = (url: string): string => sqs.url + new URL(url).pathname
  const env = {
    BACKEND: 'aws',
    JOBS_QUEUE_URL: queue(queueUrl),
    JOBS_BULK_QUEUE_URL: queue(bulkQueueUrl),
    JOBS_DEAD_LETTER_QUEUE_URL: queue(deadLetterQueueUrl),
    JOBS_TABLE: name,
    MODELS_BUCKET: name,
    JOBS_LEASE_SECONDS: '10',
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    AWS_ENDPOINT_URL_S3: s3.url,
    ...EMULATOR_ENVIRONMENT
  }
  return { running: await lab.start({ env }), proxies }
}

/** Makes every reply of one service fail while jobs run and a mentor is asked, then lets it work again. */
async function goneWrong(lab: Lab, service: AwsService, fault: AwsFault): Promise<Finding> {
  const { running, proxies } = await startOnAws(lab)
  const proxy = proxies[service]
  const jobs = new Map<string, readonly string[]>()
  await train(running)
  assert.equal(await askMentor(running, 'Where were you born?'), 200)
  await enqueue(running, jobs, ['before'])
  await everythingDone(running, jobs)
  const atWork = [enqueue(running, jobs, LARGE_SENTENCES), ...enqueueSome(running, jobs, 'at work', 8)]
  await Promise.all(atWork)
  proxy.fail(fault)
  const watch = await HealthWatch.start(running.origin)
  const beganMs = performance.now()
  const asked = Array.from({ length: 3 }, (_, index) => running.ask(`/v1/encode?query=meanwhile%20${index}`))
  for (const { status, text } of await Promise.all(asked)) assert.equal(status, 200, text)
  const [questions, accepted] = await Promise.all([
    Promise.all(QUESTIONS.map(async (question) => askMentor(running, question))),
    Promise.all([...enqueueSome(running, jobs, 'meanwhile', 5), enqueue(running, jobs, [...LARGE_SENTENCES, 'again'])])
  ])
  const askedMs = performance.now() - beganMs
  await sleep(Math.max(0, 8000 - askedMs))
  const health = await watch.stop()
  assert.ok(proxy.faultCount > 0, 'nothing was asked of the service that goes wrong')
  assert.equal(health.failedCount, 0)
  assert.ok(health.worstMs < 1000, `health took ${health.worstMs} ms`)
  assert.deepEqual([...new Set(questions)], [200], 'a known mentor answers')
  for (const status of accepted) assert.ok([202, 503].includes(status), `answered ${status}`)
  assert.ok(askedMs < ANSWERED_WITHIN_MS, `calls took ${askedMs} ms`)
  proxy.fail()
  const mendedMs = performance.now()
  await untilAccepted(running, jobs)
  const acceptedMs = performance.now() - mendedMs
  await everythingDone(running, jobs)
  const doneMs = performance.now() - mendedMs
  await untilRecorded(running)
  const told = `encoding 200, questions ${counted(questions)}, new jobs ${counted(accepted)}`
  return {
    seen: `${told}, all within ${seconds(askedMs)}; health within ${Math.round(health.worstMs)} ms`,
    lost: `nothing of ${jobs.size} jobs that were accepted, and of the questions asked meanwhile`,
    recovery: `jobs are accepted ${seconds(acceptedMs)}, and all done ${seconds(doneMs)}, after it works again`
  }
}

function counted(statuses: readonly number[]): string {
  const groups = Object.entries(Object.groupBy(statuses, String))
  return groups.map(([status, all = []]) => `${all.length} × ${status}`).join(', ')
}

async function train({ ask }: Running): Promise<void> {
  const put = await ask('/mentors/noor', { method: 'PUT', headers: { 'content-type': 'text/csv' }, body: TABLE })
  assert.equal(put.status, 200, put.text)
  const accepted = await ask('/train', posted({ mentor: 'noor', arch: 'ridge' }))
  assert.equal(accepted.status, 200, accepted.text)
  const { data }: { data: { statusUrl: string } } = JSON.parse(accepted.text)
  for (let tries = 0; ; tries += 1) {
    const { text } = await ask(data.statusUrl)
    if (text.includes('"status":"SUCCESS"')) return
    assert.ok(tries < 600 && !text.includes('"status":"FAILURE"'), text)
    await sleep(100)
  }
}

async function askMentor({ ask }: Running, question: string): Promise<number> {
  return (await ask(`/questions?mentor=noor&query=${encodeURIComponent(question)}`)).status
}

/** Waits until the questions asked meanwhile are in the review. */
async function untilRecorded({ ask }: Running): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const { status, text } = await ask('/mentors/noor/review')
    if (status === 200 && QUESTIONS.every((question) => text.includes(JSON.stringify(question)))) return
    assert.ok(tries < 200, `the questions asked meanwhile are not in the review: ${text}`)
    await sleep(100)
  }
}

/** @returns the status; a job that was accepted is remembered */
async function enqueue(
  { ask }: Running,
  jobs: Map<string, readonly string[]>,
  sentences: readonly string[]
): Promise<number> {
  const reply = await ask('/v1/jobs', posted({ type: 'encode', input: { sentences } }))
  if (reply.status === 202) jobs.set(JSON.parse(reply.text).id, sentences)
  if (reply.status === 503) assert.ok(reply.headers.has('retry-after'), 'Retry-After is there')
  return reply.status
}

function enqueueSome(running: Running, jobs: Map<string, readonly string[]>, name: string, count: number) {
  return Array.from({ length: count }, (_, index) => enqueue(running, jobs, [`${name} ${index}`, 'and another']))
}

async function untilAccepted(running: Running, jobs: Map<string, readonly string[]>): Promise<void> {
  for (let tries = 0; (await enqueue(running, jobs, ['after'])) !== 202; tries += 1) {
    assert.ok(tries < 600, 'jobs are not accepted again')
    await sleep(100)
  }
}

async function everythingDone({ ask }: Running, jobs: ReadonlyMap<string, readonly string[]>): Promise<void> {
  const deadlineMs = performance.now() + DONE_WITHIN_MS
  for (const [id, sentences] of jobs) {
    for (;;) {
      const { status, text } = await ask(`/v1/jobs/${id}`)
      assert.equal(status, 200, `job ${id}: ${text}`)
      const job: { status: string } = JSON.parse(text)
      if (job.status === 'SUCCESS') break
      assert.notEqual(job.status, 'FAILURE', text)
      assert.ok(performance.now() < deadlineMs, `job ${id} is not done: ${text}`)
      await sleep(100)
    }
    const { data }: { data: { original: string }[] } = JSON.parse((await ask(`/v1/jobs/${id}/result`)).text)
    assert.deepEqual(
      data.map(({ original }) => original),
      sentences,
      `result of job ${id}`
    )
  }
}

/** Each way in which a reply of each service can go wrong. */
export const AWS_SERVICE_FAULTS: readonly Fault[] = (['sqs', 'dynamodb', 's3'] as const).flatMap((service) =>
  Object.entries(AWS_FAULTS).map(([fault, told]) => ({
    name: `${NAMES[service]} ${told}`,
    isQuick: service === 'dynamodb' && fault === 'half',
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of AWS_FAULTS
    run: async (lab: Lab) => goneWrong(lab, service, fault as AwsFault)
  }))
)
