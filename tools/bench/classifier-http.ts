/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: a table becomes a model in two calls, as good as one made by hand, and nobody else waits for it meanwhile.
 *
 *     npm run bench -- classifier-http
 *     npm exec -- node tools/bench/classifier-http.ts --banking77 <folder with train.csv and test.csv>
 *
 * All of it over HTTP: Banking77 trained and asked by its own CSV files, and a large table of numbers, with another client
 * who asks for embeddings all the while.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'csv-parse/sync'
import { Agent, request } from 'undici'
import { API_KEY, ourProgram } from './peers/contestants.ts'
import { ServerProcess } from './peers/server-process.ts'
import { dataFolder } from './measure/data-folder.ts'
import { percentile } from './measure/statistics.ts'

const POLL_MS = 50
const NUMBER_ROWS = 100_000
const NUMBER_COLUMNS = 30
const NUMBER_CLASSES = 5
/** Between two questions of the other client. */
const ASK_EVERY_MS = 20

const banking77Folder = dataFolder('banking77')
const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'text/csv' }
// A training's upload, and a stream of predictions, last longer than most requests.
const dispatcher = new Agent({ headersTimeout: 600_000, bodyTimeout: 600_000 })

await using server = await ServerProcess.start((port) => ourProgram(port))
const idle = await whileOthersAsk(() => sleep(3000))
const banking77 = await measureBanking77()
const numbers = await measureNumbers()
const result = {
  banking77,
  numbers,
  othersWaitMsOnAnIdleService: idle.waitMs
}
process.stdout.write(`${JSON.stringify(result)}\n`)
await dispatcher.close()

async function measureBanking77() {
  const [trainCsv, testCsv] = ['train.csv', 'test.csv'].map((name) => readFileSync(join(banking77Folder, name), 'utf8'))
  assert(trainCsv !== undefined && testCsv !== undefined)
  const trained = await whileOthersAsk(() => train('banking77', '?label=category', trainCsv))
  const wanted: { category: string }[] = parse(testCsv, { columns: true, bom: true })
  const beganMs = performance.now()
  const given = await predict('banking77', testCsv)
  const seconds = (performance.now() - beganMs) / 1000
  const rightCount = given.filter((row, i) => row['class'] === wanted[i]?.category).length
  return {
    trainingRows: trained.done.rowCount,
    classes: trained.done.classCount,
    trainSeconds: trained.done.seconds,
    accuracyOutOfFold: trained.done.accuracy,
    testRows: wanted.length,
    accuracy: rightCount / wanted.length,
    predictedRowsPerSecond: wanted.length / seconds,
    othersWaitMs: trained.waitMs
  }
}

async function measureNumbers() {
  const names = Array.from({ length: NUMBER_COLUMNS }, (_, j) => `sensor_${j}`)
  const random = generator(26)
  const rows = Array.from({ length: NUMBER_ROWS }, () => {
    const label = Math.floor(random() * NUMBER_CLASSES)
    return [...names.map((_, j) => ((j % NUMBER_CLASSES === label ? 1 : 0) + 2 * random()).toFixed(4)), label].join(',')
  })
  const csv = `${[...names, 'label'].join(',')}\n${rows.join('\n')}\n`
  const trained = await whileOthersAsk(() => train('numbers', '', csv))
  const beganMs = performance.now()
  const predicted = await whileOthersAsk(() => predict('numbers', csv))
  assert.equal(predicted.done.length, NUMBER_ROWS)
  return {
    rows: NUMBER_ROWS,
    columns: NUMBER_COLUMNS,
    classes: trained.done.classCount,
    csvBytes: csv.length,
    uploadSeconds: trained.done.uploadSeconds,
    trainSeconds: trained.done.seconds,
    accuracyOutOfFold: trained.done.accuracy,
    othersWaitMsWhileTraining: trained.waitMs,
    predictedRowsPerSecond: NUMBER_ROWS / ((performance.now() - beganMs) / 1000),
    othersWaitMsWhilePredicting: predicted.waitMs
  }
}

/** Trains to the end, from the call on. */
async function train(name: string, query: string, csv: string) {
  const beganMs = performance.now()
  const url = `${server.origin}/v1/classifiers/${name}/train${query}`
  const accepted = await request(url, { method: 'POST', headers, body: csv, dispatcher })
  assert.equal(accepted.statusCode, 200)
  const uploadSeconds = (performance.now() - beganMs) / 1000
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the service's own reply
  const { data } = (await accepted.body.json()) as {
    data: { statusUrl: string; rowCount: number; classCount: number }
  }
  for (;;) {
    const { body } = await request(server.origin + data.statusUrl, {
      headers: { authorization: headers.authorization }
    })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the service's own reply
    const status = (await body.json()) as { data: { status: string; result?: { figures: { accuracy: number } } } }
    assert.notEqual(status.data.status, 'FAILURE')
    if (status.data.result !== undefined) {
      const seconds = (performance.now() - beganMs) / 1000
      return { ...data, uploadSeconds, seconds, accuracy: status.data.result.figures.accuracy }
    }
    await sleep(POLL_MS)
  }
}

async function predict(name: string, csv: string): Promise<Record<string, string>[]> {
  const url = `${server.origin}/v1/classifiers/${name}/predict`
  const { statusCode, body } = await request(url, { method: 'POST', headers, body: csv, dispatcher })
  assert.equal(statusCode, 200)
  const rows: Record<string, string>[] = parse(await body.text(), { columns: true })
  return rows
}

/** Runs something while another client asks for embeddings, and tells how long that one waited for its replies. */
async function whileOthersAsk<T>(work: () => Promise<T>) {
  const waits: number[] = []
  const stop = new AbortController()
  const asking = askUntil(stop.signal, waits)
  const done = await work().finally(() => stop.abort())
  await asking
  const sorted = waits.toSorted((a, b) => a - b)
  return { done, waitMs: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), longest: sorted.at(-1) ?? 0 } }
}

async function askUntil(signal: AbortSignal, waits: number[]): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const beganMs = performance.now()
    const url = `${server.origin}/v1/encode?query=${encodeURIComponent(`a question of another client, number ${i}`)}`
    const { body } = await request(url, { headers: { authorization: headers.authorization } })
    await body.dump()
    waits.push(performance.now() - beganMs)
    await sleep(ASK_EVERY_MS)
  }
}

/** Numbers from 0 up to 1. Source: Numerical Recipes, 3rd edition, section 7.1, "quick and dirty" generator. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
