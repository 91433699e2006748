/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claims: a mentor is trained no slower than by the usual Python, at the reference's accuracy or better; questions are
 * answered about as fast as texts are embedded, and a training hardly slows them.
 *
 *     npm run bench -- mentors
 *     npm exec -- node tools/bench/mentors.ts --rounds 1 --seconds 1
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Type, type TSchema, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { request } from 'undici'
import { ClassifierModel, packRidgeModel, packSoftmaxModel } from '../../src/learning/classifier-model.ts'
import { evaluate } from '../../src/learning/evaluation.ts'
import { fitRidge } from '../../src/learning/ridge.ts'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { trainSoftmax } from '../../src/learning/train-softmax.ts'
import { sanitize } from '../../src/mentor/sanitize.ts'
import { embedBanking77, judge, originOf, readBanking77, readRows } from './engine/banking77.ts'
import { dataFolder } from './measure/data-folder.ts'
import { openEncoder } from './engine/open-encoder.ts'
import { LoadGenerator, type LoadMeasurement } from './load/run-load.ts'
import { API_KEY, ourProgram } from './peers/contestants.ts'
import { FLASK_FOLDER, installFlask, SOURCE_MODEL } from './peers/install.ts'
import { LineProcess } from './peers/line-process.ts'
import { ServerProcess } from './peers/server-process.ts'
import type { MentorsResult } from './report/mentors.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '1' } }
})
const roundCount = Number(values.rounds)
const loadMs = Number(values.seconds) * 1000

const ANSWER_COUNT = 400
const PHRASES_AN_ANSWER = 3
const SAMPLE_COUNT = ANSWER_COUNT * PHRASES_AN_ANSWER
/** As many rounds as there are texts for: each takes other ones. */
const MAX_ROUNDS = 8
const TRAINING_TIMEOUT_MS = 300_000
const POLL_MS = 5
const WARM_UP_MS = 300
const ASKING_CLIENTS = 1
const THROUGHPUT_CLIENTS = 4
const QUESTIONS = '/questions?mentor=cold-softmax&query='
const CACHE = join(import.meta.dirname, '../../.cache/bench')

const Accepted = Type.Object({ data: Type.Object({ statusUrl: Type.String() }) })
const Status = Type.Object({
  data: Type.Object({
    status: Type.String(),
    stage: Type.String(),
    error: Type.Optional(Type.String()),
    result: Type.Optional(Type.Object({ encodedCount: Type.Integer() }))
  })
})
type Status = Static<typeof Status>['data']
const Versions = Type.Object({ versions: Type.String() })
const PeerTraining = Type.Object({ encodeMs: Type.Number(), fitMs: Type.Number(), searchMs: Type.Number() })
const PeerReady = Type.Object({ fitMs: Type.Number(), ridgeMs: Type.Number() })

assert(roundCount >= 1 && roundCount <= MAX_ROUNDS, `--rounds: 1 to ${MAX_ROUNDS} wanted`)
const rows = await readRows(join(dataFolder('banking77'), 'train.csv'))
await installFlask()
await using peer = new LineProcess(
  join(FLASK_FOLDER, 'bin/python'),
  [join(import.meta.dirname, 'peers/scikit_learn.py')],
  { MODEL_PATH: SOURCE_MODEL, HF_HUB_OFFLINE: '1', PYTHONDONTWRITEBYTECODE: '1' }
)
const { versions } = Value.Parse(Versions, await peer.next())
await using server = await ServerProcess.start((port) => ourProgram(port))
using load = new LoadGenerator()
let nextTextIndex = 0

const result: MentorsResult = {
  cold: await measureCold(),
  ...(await measureReady()),
  ...(await measureAsking())
}
process.stdout.write(`${JSON.stringify(result)}\n`)

async function measureCold(): Promise<MentorsResult['cold']> {
  const labels = Array.from({ length: SAMPLE_COUNT }, (_, i) => Math.floor(i / PHRASES_AN_ANSWER))
  const oursMs: number[] = []
  const oursRidgeMs: number[] = []
  const peerMs: Static<typeof PeerTraining>[] = []
  let encodedCount = 0
  for (let round = 0; round < roundCount; round += 1) {
    const texts = labels.map((_, i) => rows[i * MAX_ROUNDS + round]?.text ?? '')
    // Other texts for each architecture, or the second would find them embedded.
    for (const [arch, times] of [
      ['softmax', oursMs],
      ['ridge', oursRidgeMs]
    ] as const) {
      await putMentor(
        `cold-${arch}`,
        texts.map((text) => `${text} ${arch}`),
        labels
      )
      const beganMs = performance.now()
      const ended = await trained(await train(`cold-${arch}`, arch))
      times.push(performance.now() - beganMs)
      encodedCount = ended.result?.encodedCount ?? 0
    }
    const task = { texts: texts.map((text) => sanitize(`${text} softmax`)), labels }
    peerMs.push(Value.Parse(PeerTraining, await peer.ask(task)))
    tell(`cold, round ${round + 1}: ours ${oursMs.at(-1)?.toFixed(0)} ms, peer ${JSON.stringify(peerMs.at(-1))}`)
  }
  return {
    sampleCount: SAMPLE_COUNT,
    answerCount: ANSWER_COUNT,
    oursMs,
    oursRidgeMs,
    encodedCount,
    peer: {
      versions,
      encodeMs: peerMs.map((one) => one.encodeMs),
      fitMs: peerMs.map((one) => one.fitMs),
      searchMs: peerMs.map((one) => one.searchMs)
    }
  }
}

async function measureReady(): Promise<Pick<MentorsResult, 'ready' | 'accuracy'>> {
  const folders = { int8: join(CACHE, 'banking77-int8'), fp32: join(CACHE, 'banking77-fp32') }
  for (const precision of ['int8', 'fp32'] as const) {
    const encoder = await openEncoder(precision)
    await embedBanking77(encoder, dataFolder('banking77'), folders[precision])
    await encoder.close()
  }
  const [int8, fp32] = [readBanking77(folders.int8), readBanking77(folders.fp32)]
  const { train: set, classCount } = int8
  const engine = await TensorEngine.create()
  // The first run is the warm-up.
  let trained77 = await trainSoftmax(engine, { ...set, classCount })
  const ready: MentorsResult['ready'] = {
    sampleCount: set.labels.length,
    classCount,
    oursMs: [],
    oursRidgeMs: [],
    peerMs: [],
    peerRidgeMs: []
  }
  let ridge = fitRidge(fp32.train.features, fp32.train.labels, classCount)
  for (let round = 0; round < roundCount; round += 1) {
    let beganMs = performance.now()
    trained77 = await trainSoftmax(engine, { ...set, classCount })
    ready.oursMs.push(performance.now() - beganMs)
    beganMs = performance.now()
    ridge = fitRidge(fp32.train.features, fp32.train.labels, classCount)
    ready.oursRidgeMs.push(performance.now() - beganMs)
    const { fitMs, ridgeMs } = Value.Parse(PeerReady, await peer.ask({ folder: folders.int8 }))
    ready.peerMs.push(fitMs)
    ready.peerRidgeMs.push(ridgeMs)
    tell(`ready, round ${round + 1}: ours ${ready.oursMs.at(-1)?.toFixed(0)} ms, peer ${fitMs.toFixed(0)} ms`)
  }
  await engine[Symbol.asyncDispose]()
  const softmaxBytes = packSoftmaxModel(trained77, { ...set, classCount }, originOf(classCount))
  const asAsked = evaluate(
    judge(ClassifierModel.load(softmaxBytes), int8.testAsAsked, int8.testLabels, int8.testTexts),
    true
  )
  const ridgeModel = ClassifierModel.load(packRidgeModel(ridge, originOf(classCount)))
  const sanitized = evaluate(judge(ridgeModel, fp32.testSanitized, fp32.testLabels), false)
  const { accuracy: softmaxInt8, calibrationError } = asAsked
  const { accuracy: ridgeFp32 } = sanitized
  assert(softmaxInt8 !== null && calibrationError !== null && ridgeFp32 !== null, 'the test set has answers')
  return { ready, accuracy: { softmaxInt8, ridgeFp32, calibrationError } }
}

async function measureAsking(): Promise<Pick<MentorsResult, 'asking' | 'throughput'>> {
  const asking: MentorsResult['asking'] = { clientCount: ASKING_CLIENTS, idle: [], whileEncoding: [], whileFitting: [] }
  const throughput: MentorsResult['throughput'] = { clientCount: THROUGHPUT_CLIENTS, questions: [], encode: [] }
  for (let round = 0; round < roundCount; round += 1) {
    asking.idle.push(await ask(QUESTIONS, ASKING_CLIENTS))
    // Words of this round, so that every text has to be embedded.
    const texts = rows.map(({ text }) => `${text} round ${round}`)
    const categories = [...new Set(rows.map(({ category }) => category))]
    await putMentor(
      'all',
      texts,
      rows.map(({ category }) => categories.indexOf(category))
    )
    const training = await train('all', 'softmax')
    await askDuring(training, 'ENCODING', asking.whileEncoding)
    await askDuring(training, 'FITTING', asking.whileFitting)
    await trained(training)
    throughput.questions.push(await ask(QUESTIONS, THROUGHPUT_CLIENTS))
    throughput.encode.push(await ask('/v1/encode?query=', THROUGHPUT_CLIENTS))
    tell(
      `asking, round ${round + 1}: p95 ${[asking.idle, asking.whileEncoding, asking.whileFitting]
        .map((measured) => measured.at(-1)?.latencyMs.p95.toFixed(1))
        .join(', ')} ms`
    )
  }
  assert(asking.whileEncoding.length > 0 && asking.whileFitting.length > 0, 'No stage lasted: measure for less long')
  return { asking, throughput }
}

/** Keeps what was measured, if the stage lasted for so long. */
async function askDuring(training: string, stage: string, kept: MentorsResult['asking']['idle']): Promise<void> {
  await reach(training, stage)
  const measured = await ask(QUESTIONS, ASKING_CLIENTS)
  if ((await statusOf(training)).stage === stage) kept.push(measured)
  else tell(`the stage ${stage} was over too soon: this round does not count`)
}

async function ask(getPath: string, clientCount: number): Promise<LoadMeasurement> {
  const measurement = await load.run(
    {
      origin: server.origin,
      target: { kind: 'get', firstTextIndex: nextTextIndex, getPath },
      headers: { authorization: `Bearer ${API_KEY}` },
      clientCount,
      pipelining: 1,
      warmUpMs: WARM_UP_MS,
      durationMs: loadMs,
      maxRequests: Number.MAX_SAFE_INTEGER
    },
    server.processGroup
  )
  nextTextIndex = measurement.nextTextIndex
  return measurement
}

async function putMentor(id: string, texts: readonly string[], labels: readonly number[]): Promise<void> {
  const phrases = Map.groupBy(texts.keys(), (i) => labels[i] ?? 0)
  const answers = [...phrases].map(([label, indexes]) => {
    const [question = '', ...paraphrases] = indexes.map((i) => texts[i] ?? '')
    return {
      _id: `a${label}`,
      status: 'COMPLETE',
      transcript: `Answer ${label}.`,
      question: { _id: `q${label}`, question, paraphrases }
    }
  })
  await call('PUT', `/mentors/${id}`, Type.Unknown(), { name: id, mentorType: 'CHAT', answers })
}

/** @returns the URL of its status */
async function train(mentor: string, arch: string): Promise<string> {
  // Forced, since what is trained on other texts than the live version need not be as good.
  return (await call('POST', '/train', Accepted, { mentor, arch, force: true })).data.statusUrl
}

async function statusOf(training: string): Promise<Status> {
  const { data } = await call('GET', training, Status)
  if (data.status === 'FAILURE') throw new Error(`A training failed: ${data.error ?? 'it did not say why'}`)
  return data
}

async function reach(training: string, stage: string): Promise<void> {
  await until(training, (status) => status.status === 'IN_PROGRESS' && status.stage === stage)
}

async function trained(training: string): Promise<Status> {
  return until(training, ({ status }) => status === 'SUCCESS')
}

async function until(training: string, isReached: (status: Status) => boolean): Promise<Status> {
  const endMs = performance.now() + TRAINING_TIMEOUT_MS
  for (;;) {
    const status = await statusOf(training)
    if (isReached(status)) return status
    assert(performance.now() < endMs && status.status !== 'SUCCESS', 'A training has gone past what was waited for')
    await sleep(POLL_MS)
  }
}

async function call<Schema extends TSchema>(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  schema: Schema,
  payload?: object
): Promise<Static<Schema>> {
  const { statusCode, body } = await request(server.origin + path, {
    method,
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    ...(payload !== undefined && { body: JSON.stringify(payload) })
  })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`${method} ${path} answered ${statusCode}: ${text.slice(0, 300)}`)
  return Value.Parse(schema, JSON.parse(text))
}

function tell(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}
