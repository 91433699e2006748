/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { predictCsv } from '../../../../src/classifier/csv-prediction.ts'
import { openClassifierApp, SENSORS } from '../../classifier-app.ts'
import { AUTHORIZED } from '../../test-app.ts'

/** A listening server with trained sensors. */
async function listen(t: TestContext, env: Record<string, string> = {}) {
  const opened = await openClassifierApp(t, env)
  await opened.trainTable('sensors/train', SENSORS)
  await opened.app.listen({ host: '127.0.0.1', port: 0 })
  const open = (query = ''): ClientRequest =>
    request(`${opened.app.listeningOrigin}/v1/classifiers/sensors/predict${query}`, {
      method: 'POST',
      headers: { ...AUTHORIZED, 'content-type': 'text/csv' }
    })
  return { ...opened, open }
}

async function replyTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [reply]: IncomingMessage[] = await once(outgoing, 'response')
  assert.ok(reply)
  return reply
}

async function textOf(reply: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of reply.setEncoding('utf8')) text += String(chunk)
  return text
}

async function predict(open: () => ClientRequest, csv: string): Promise<{ status: number | undefined; body: string }> {
  const outgoing = open()
  outgoing.end(csv)
  const reply = await replyTo(outgoing)
  return { status: reply.statusCode, body: await textOf(reply) }
}

test('CSV: a line for each row, in order, and the reason where a row is at fault', async (t) => {
  const { open } = await listen(t)
  const rows = ['2,-2', ' 0 , 0.1 ', '', '1', '"2",-1.9', ',1', 'NaN,1', '1e308,1', '0,0']
  const { status, body } = await predict(() => open(), `\uFEFFsensor_1,sensor_2\r\n${rows.join('\r\n')}`)
  assert.equal(status, 200)
  assert.deepEqual(body.split('\r\n'), [
    'class,error',
    '1.0,',
    '0.0,',
    ',column sensor_2: no value',
    '1.0,',
    ',column sensor_1: no value',
    ',column sensor_1: not a number',
    ',"column sensor_1: too large a number, at most 1e+100 is allowed"',
    '0.0,',
    ''
  ])
  const ranked = await predict(() => open('?probability=true&top_k=2'), 'note,sensor_2,sensor_1\nhello,-2,2\n')
  assert.match(ranked.body, /^class,probability,class_2,probability_2,error\r\n1\.0,0\.9\d+,0\.0,0\.0\d+,\r\n$/)
})

test('CSV: what has no header, or not the columns, is refused before anything is predicted', async (t) => {
  const { open } = await listen(t)
  assert.equal((await predict(() => open(), '')).status, 400)
  const lacking = await predict(() => open(), 'sensor_1,other\n1,2\n')
  assert.equal(lacking.status, 400)
  assert.match(lacking.body, /"errors":\{"sensor_2":\["required field"\]\}/)
  const twice = await predict(() => open(), 'sensor_1,sensor_2,sensor_1\n1,2,3\n')
  assert.equal(twice.status, 400)
  assert.match(twice.body, /columns 1 and 3 are both named sensor_1/)
})

test('CSV: what is wrong with the first rows of a table is told by the status of the reply', async (t) => {
  const { open } = await listen(t)
  const cases: [string, RegExp][] = [
    ['2,-2\n"2,-2\n0,0\n', /is not CSV \(CSV_QUOTE_NOT_CLOSED\), with comma between cells/],
    ['2,-2\n0,caf\u00E9\n'.repeat(3), /line 3 is not UTF-8/],
    [`2,-2\n${'9'.repeat(600_000)},1\n`, /line 3 is not CSV \(CSV_MAX_RECORD_SIZE\)/]
  ]
  for (const [rows, reason] of cases) {
    const outgoing = open()
    outgoing.end(Buffer.from(`sensor_1,sensor_2\n${rows}`, 'latin1'))
    const reply = await replyTo(outgoing)
    const body = await textOf(reply)
    assert.equal(reply.statusCode, 400, body)
    assert.match(body, reason)
  }
})

test('CSV: 100,000 rows go in and come out, in order', async (t) => {
  const { open } = await listen(t)
  const { body } = await predict(open, `sensor_1,sensor_2\n${'2,-2\n0,0.1\n'.repeat(50_000)}`)
  const lines = body.split('\r\n')
  assert.equal(lines.length, 100_002)
  assert.ok(lines.slice(1, -1).every((row, i) => row === (i % 2 === 0 ? '1.0,' : '0.0,')))
})

test('predictCsv() reads no more than is taken from it', async (t) => {
  const { classifiers } = await listen(t)
  let readRows = 0
  const source = Readable.from(
    (function* () {
      yield 'sensor_1,sensor_2\n'
      for (; readRows < 1_000_000; readRows += 100) yield '2,-2\n'.repeat(100)
    })().map((text) => Buffer.from(text))
  )
  const lines = await predictCsv(source, await classifiers.open('sensors'), {
    predict: {},
    detail: { hasProbability: false, topK: 0 },
    maxTextCharacters: 100,
    maxBytes: 1e9
  })
  let takenRows = 0
  for (let chunk = 0; chunk < 30; chunk++) {
    const { value } = await lines.next()
    takenRows += String(value).split('\r\n').length - 1
  }
  // What lies between in the buffers of streams: some tens of kilobytes.
  assert.ok(takenRows > 1000 && readRows < takenRows + 60_000, `${readRows} rows were read, ${takenRows} taken`)
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  source.once('close', resolve)
  await lines.return(undefined)
  await closed
})

test('CSV: a stream under way may take longer to arrive than other requests', async (t) => {
  const { app, open } = await listen(t)
  const sockets: Socket[] = []
  app.server.on('connection', (socket: Socket) => sockets.push(socket))
  const outgoing = open()
  outgoing.write('sensor_1,sensor_2\n2,-2\n')
  const reply = await replyTo(outgoing)
  const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
  app.server.emit('clientError', late, sockets[0])
  outgoing.end('0,0\n')
  assert.equal(await textOf(reply), 'class,error\r\n1.0,\r\n0.0,\r\n')
})

test('CSV: what is no CSV, or too long, is told in the middle of a reply by its breaking off', async (t) => {
  const { open } = await listen(t, { CLASSIFIER_BODY_LIMIT_BYTES: '4096' })
  for (const rest of ['2,"-2" x\n', '2,-2\n'.repeat(1000)]) {
    const outgoing = open()
    outgoing.write('sensor_1,sensor_2\n2,-2\n')
    const reply = await replyTo(outgoing)
    outgoing.on('error', () => undefined)
    outgoing.end('2,-2\n'.repeat(100) + rest)
    await assert.rejects(textOf(reply), /aborted/)
  }
})
