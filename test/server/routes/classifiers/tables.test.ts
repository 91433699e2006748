/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { openClassifierApp } from '../../classifier-app.ts'
import { AUTHORIZED } from '../../test-app.ts'

/** Tables of the kinds that spreadsheets make; all of them say the same. */
const LETTERS: readonly (readonly string[])[] = [
  ['Where can I park near the north gate?', 'parking'],
  ['Is there a garage — for visitors?', 'parking'],
  ['How much is a day ticket for the car park?', 'parking'],
  ['When does the café open?', 'food'],
  ['Do you serve “vegan” lunch?', 'food'],
  ['Can I bring my own sandwiches?', 'food']
]

interface Kind {
  readonly bytes: Buffer
  readonly type?: string
}

/** The same table as each kind of program writes it. */
function kindsOf(header: readonly string[], rows: readonly (readonly string[])[]): Record<string, Kind> {
  const write = (separator = ',', ends = ['\r\n'], line = (cells: readonly string[]) => cells) =>
    [header, ...rows]
      .map((cells, index) => `${line(cells).map(quote).join(separator)}${ends[Math.min(index, ends.length - 1)]}`)
      .join('')
  const utf16 = Buffer.from(`\uFEFF${write('\t')}`, 'utf16le')
  return {
    'CR LF, then LF': { bytes: Buffer.from(write(',', ['\r\n', '\n'])) },
    'LF, then CR LF': { bytes: Buffer.from(write(',', ['\n', '\r\n'])) },
    'CR, then LF': { bytes: Buffer.from(write(',', ['\r', '\n'])) },
    CR: { bytes: Buffer.from(write(',', ['\r'])) },
    semicolons: { bytes: Buffer.from(`\uFEFF${write(';')}`) },
    tabs: { bytes: Buffer.from(write('\t')) },
    'sep=;': { bytes: Buffer.from(`sep=;\r\n${write(';')}`) },
    'UTF-16, tabs': { bytes: utf16 },
    'UTF-16, big-endian': { bytes: Buffer.from(utf16).swap16() },
    'windows-1252': { bytes: windows1252(write()), type: 'text/csv; charset=windows-1252' },
    latin1: { bytes: windows1252(write()), type: 'text/csv;charset="latin1"' },
    'empty columns': { bytes: Buffer.from(write(',', ['\r\n'], (cells) => [...cells, '', ''])) },
    'empty rows': { bytes: Buffer.from(`${write()}\r\n,\r\n,\r\n`) },
    'names in capitals': { bytes: Buffer.from(write().replace(header.join(), header.join().toUpperCase())) }
  }
}

function quote(cell: string): string {
  return /[",;\t]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

function windows1252(text: string): Buffer {
  return Buffer.from(text.replaceAll('“', '\x93').replaceAll('”', '\x94').replaceAll('—', '\x97'), 'latin1')
}

async function send(t: TestContext) {
  const opened = await openClassifierApp(t)
  await opened.app.listen({ host: '127.0.0.1', port: 0 })
  /** In pieces of so many bytes. */
  const stream = async (url: string, { bytes, type = 'text/csv' }: Kind, size: number) => {
    const headers = { ...AUTHORIZED, 'content-type': type }
    const outgoing = request(`${opened.app.listeningOrigin}${url}`, { method: 'POST', headers })
    for (let at = 0; at < bytes.length; at += size) outgoing.write(bytes.subarray(at, at + size))
    outgoing.end()
    const [reply]: IncomingMessage[] = await once(outgoing, 'response')
    let body = ''
    for await (const chunk of reply!.setEncoding('utf8')) body += String(chunk)
    return { status: reply!.statusCode, body }
  }
  const put = (url: string, { bytes, type = 'text/csv' }: Kind) =>
    opened.ask({ method: 'PUT', url, payload: bytes, headers: { 'content-type': type } })
  const post = (url: string, { bytes, type = 'text/csv' }: Kind) =>
    opened.ask({ method: 'POST', url: `/v1/classifiers/${url}`, payload: bytes, headers: { 'content-type': type } })
  return { ...opened, stream, put, post }
}

test('train reads a table of every kind as the same table', async (t) => {
  const { post, app, trainTable, ask } = await send(t)
  assert.ok(app)
  await trainTable('letters/train', [['text', 'label'], ...LETTERS].map((cells) => cells.map(quote).join()).join('\n'))
  const { data } = (await ask({ url: '/v1/classifiers/letters/versions' })).json()
  const [{ dataHash }] = data.versions
  for (const [kind, table] of Object.entries(kindsOf(['text', 'label'], LETTERS))) {
    const reply = await post(`letters/train?label=${kind.includes('capitals') ? 'LABEL' : 'label'}`, table)
    assert.equal(reply.statusCode, 200, `${kind}: ${reply.body}`)
    const { rowCount, classCount, dropped } = reply.json().data
    assert.deepEqual([rowCount, classCount], [6, 2], kind)
    if (kind === 'empty columns') assert.deepEqual(dropped, { rows: 0, columns: ['columns 3 to 4'] })
    else if (kind === 'empty rows') assert.deepEqual(dropped, { rows: 2, columns: [] })
    else assert.equal(dropped, undefined)
  }
  assert.ok(dataHash)
})

test('predict reads a stream of every kind, cut anywhere, as the same rows', async (t) => {
  const { stream, trainTable } = await send(t)
  await trainTable('letters/train', [['text', 'label'], ...LETTERS].map((cells) => cells.map(quote).join()).join('\n'))
  const expected = LETTERS.map(([, label]) => `${label},`)
  for (const [kind, table] of Object.entries(kindsOf(['text', 'label'], LETTERS))) {
    for (const size of [1, 3, 1000]) {
      const { status, body } = await stream('/v1/classifiers/letters/predict?probability=false', table, size)
      assert.equal(status, 200, `${kind}: ${body}`)
      assert.deepEqual(body.trimEnd().split('\r\n').slice(1), expected, `${kind} in pieces of ${size}`)
    }
  }
  const one = { bytes: Buffer.from('text\r\nWhere to park?\nIs lunch on?\n\nA sandwich\n') }
  const { body } = await stream('/v1/classifiers/letters/predict?probability=false', one, 1000)
  assert.equal(body.trimEnd().split('\r\n').length, 4)
  const inStep = { bytes: Buffer.from('text,note\nWhere to park?,\n,\nIs lunch on?,\n,\n,\n') }
  const told = await stream('/v1/classifiers/letters/predict?probability=false', inStep, 1000)
  assert.deepEqual(told.body, 'class,error\r\nparking,\r\n,an empty row\r\nfood,\r\n')
})

test('judging reads a table of every kind', async (t) => {
  const { post, trainTable } = await send(t)
  await trainTable('letters/train', [['text', 'label'], ...LETTERS].map((cells) => cells.map(quote).join()).join('\n'))
  for (const [kind, table] of Object.entries(kindsOf(['text', 'label'], LETTERS))) {
    const reply = await post('letters/versions/live/evaluation', table)
    assert.equal(reply.statusCode, 200, `${kind}: ${reply.body}`)
    assert.equal(reply.json().data.evaluation.questionCount, 6, kind)
  }
})

const HEADER = ['id', 'question', 'paraphrases', 'answer', 'topic']
const MENTOR = [
  [
    'a1',
    'Where do you live?',
    'Where’s home?|Which city?'.replace('’', "'"),
    'I live in Zürich — by the river.',
    'About'
  ],
  ['a2', 'What is your job?', 'What do you do?', 'I am a “bench” scientist.', 'Career'],
  ['a3', 'How old are you?', 'Your age?', 'I am 41, or so; roughly.', 'About'],
  ['u1', '_OFF_TOPIC_', '', "Let's talk about something else.", '']
]

test('PUT /mentors/{mentor}, and judging it, read a table of every kind as the same mentor', async (t) => {
  const { put, ask, train, stream } = await send(t)
  const stored: string[] = []
  for (const [kind, table] of Object.entries(kindsOf(HEADER, MENTOR))) {
    const reply = await put('/mentors/noor', table)
    assert.equal(reply.statusCode, 200, `${kind}: ${reply.body}`)
    const { answerCount, utteranceCount, problems, dropped, revision } = reply.json().data
    assert.deepEqual(
      { answerCount, utteranceCount, problems },
      { answerCount: 3, utteranceCount: 1, problems: [] },
      kind
    )
    if (kind === 'empty columns') assert.deepEqual(dropped, { rows: 0, columns: ['columns 6 to 7'] })
    else if (kind === 'empty rows') assert.deepEqual(dropped, { rows: 2, columns: [] })
    else assert.equal(dropped, undefined)
    stored.push(revision)
  }
  assert.equal(new Set(stored).size, 1)
  const sheet = (await ask({ url: '/trainingdata/noor' })).body
  assert.match(sheet, /Zürich — by/)
  await train({ mentor: 'noor' })
  const questions = MENTOR.slice(0, 3).map(([id, question]) => [question!, id!])
  for (const [kind, table] of Object.entries(kindsOf(['question', 'answer'], questions))) {
    const { status, body } = await stream('/mentors/noor/versions/live/evaluation', table, 7)
    assert.equal(status, 200, `${kind}: ${body}`)
  }
})

test('bytes that are not UTF-8 and not declared are 400 with the first line, wherever a table is taken', async (t) => {
  const { put, post, stream, trainTable, train } = await send(t)
  await trainTable('letters/train', [['text', 'label'], ...LETTERS].map((cells) => cells.map(quote).join()).join('\n'))
  const table = { bytes: windows1252('text,label\r\na,x\r\ncafé,y\r\n') }
  const mentor = { bytes: windows1252('question,answer\r\nWho are you?,Noor\r\nWhat is a café?,A place\r\n') }
  assert.equal(
    (await put('/mentors/noor', { bytes: Buffer.from('question,answer\nWho are you?,Noor\nWhy?,So\n') })).statusCode,
    200
  )
  await train({ mentor: 'noor' })
  const replies = [
    await post('letters/train', table),
    await post('letters/versions/live/evaluation', table),
    await put('/mentors/noor', mentor)
  ].map(({ statusCode, body }) => ({ status: statusCode, body }))
  const streamed = [
    await stream('/mentors/noor/versions/live/evaluation', mentor, 1000),
    await stream('/v1/classifiers/letters/predict', table, 1000)
  ]
  for (const { status, body } of [...replies, ...streamed]) {
    assert.equal(status, 400, body)
    assert.match(body, /line 3 is not UTF-8.*windows-1252/)
  }
  const unknown = await post('letters/train', { ...table, type: 'text/csv; charset=klingon' })
  assert.equal(unknown.statusCode, 415)
  assert.match(unknown.body, /unknown charset/)
})

test('train: words for no value are a label like others, and make no column of numbers', async (t) => {
  const { post } = await openClassifierApp(t)
  for (const word of ['none', 'NA', 'null', 'n/a', 'nan', 'inf', '-Infinity', '#N/A']) {
    const rows = Array.from({ length: 9 }, (_, i) => `row ${i},${i % 3 === 0 ? 'command' : word},${word}`)
    const { data } = (await post('words/train', `text,label,note\n${rows.join('\n')}\nlast,command,see below`)).json()
    assert.deepEqual(data.label, { name: 'label', type: 'text' }, word)
    assert.deepEqual(
      data.features.map(({ type }: { type: string }) => type),
      ['text', 'text'],
      word
    )
  }
  const lacking = await post('words/train', 'a,label\n1,x\nNA,y\n2,x\n3,y\n')
  assert.deepEqual(lacking.json().errors, { a: ['row 2: not a number, as most others are'] })
})

test('train and predict: decimal commas where the comma separates no cells', async (t) => {
  const { post, trainTable } = await openClassifierApp(t)
  const rows = Array.from({ length: 12 }, (_, i) => `${i % 2 ? '-1,5' : '2,25'};${i},${i};${i % 2 ? 'low' : 'high'}`)
  const { reply } = await trainTable('commas/train', `a;b;label\n${rows.join('\n')}\n`)
  assert.deepEqual(
    reply.data.features.map(({ name, type }) => [name, type]),
    [
      ['a', 'number'],
      ['b', 'number']
    ]
  )
  const predicted = await post('commas/predict', 'a;b\n2,25;0\n-1,5;1,5\n')
  assert.equal(predicted.body, 'class,error\r\nhigh,\r\nlow,\r\n')
  const unclear = await post('commas/train', 'a\tlabel\n1,234\tx\n5,678\ty\n9,012\tx\n')
  assert.equal(unclear.statusCode, 400)
  assert.match(unclear.body, /row 1: not a number for sure: its comma may be decimal or of thousands/)
})

test('train: columns by name without regard to case; what is ambiguous, unnamed or not there is said', async (t) => {
  const { post, trainTable } = await openClassifierApp(t)
  const { reply } = await trainTable('case/train', 'Text,LABEL\npark here,a\nlunch now,b\npark there,a\nlunch then,b\n')
  assert.deepEqual([reply.data.features[0]?.name, reply.data.label.name], ['Text', 'LABEL'])
  const predicted = await post('case/predict?probability=false', { TEXT: ['park'] })
  assert.deepEqual(predicted.json(), { class: ['a'] })
  const judged = await post('case/versions/live/evaluation', 'label,text\na,park here\nb,lunch now\n')
  assert.equal(judged.statusCode, 200, judged.body)
  const twice = await post('case/train', 'text,Label,LABEL\na,x,y\nb,y,x\n')
  assert.match(twice.json().message, /columns 2 and 3/)
  const unnamed = await post('case/train', ',text,label\nfirst,a,x\nsecond,b,y\n')
  assert.match(unnamed.json().message, /column 1 has no name, but a value in row 1/)
  const numbered = await trainTable(
    'numbered/train',
    ',text,label\n0,park here,a\n1,lunch now,B\n,text,label\n2,park,b\n'
  )
  assert.deepEqual(numbered.reply.data.dropped, { rows: 1, columns: ['column 1'] })
  assert.deepEqual(numbered.reply.data.lint, [
    { kind: 'SIMILAR_LABELS', count: 1, examples: [{ rows: [2, 4], labels: ['B', 'b'] }] }
  ])
  const again = await post('numbered/predict?probability=false', ',text\n7,park\n,text\n8\n', {
    'content-type': 'text/csv'
  })
  assert.match(again.body, /^class,error\r\n[aBb],\r\n,the header again\r\n,column text: no value\r\n$/)
  const lacking = await post('case/train', 'text;class\na;x\nb;y\n')
  assert.match(lacking.json().message, /lacks the column of labels; it has 2 columns, separated by semicolon/)
})

test('train: empty columns and rows are left out and told, of CSV and JSON, and rows keep their numbers', async (t) => {
  const { post } = await openClassifierApp(t)
  const csv = await post('empty/train', 'text,,note,label,\n,,,,\none,,,x,\n  , ,,,\ntwo,,,y,\nthree,,,y,\n,,,,\n')
  assert.deepEqual(csv.json().data.dropped, { rows: 3, columns: ['column 5', 'column 2', 'note'] })
  const json = await post('empty/train', [
    { text: 'one', note: null, label: 'x' },
    {},
    { text: 'two', note: '', label: 'y' },
    { text: ' ', label: null }
  ])
  assert.deepEqual(json.json().data.dropped, { rows: 2, columns: ['note'] })
  const faulty = await post('empty/train', 'a,label\n,\n1,x\n,\nq,y\n3,y\n')
  assert.deepEqual(faulty.json().errors, { a: ['row 4: not a number, as most others are'] })
})

test('train: the same text under two labels is told, as mentors tell it', async (t) => {
  const { post } = await openClassifierApp(t)
  const { data } = (await post('twice/train', 'text,label\nPark here,a\n,\nlunch,b\npark  HERE ,b\nsoup,b\n')).json()
  assert.deepEqual(data.lint, [{ kind: 'SAME_INPUT', count: 1, examples: [{ rows: [1, 4], labels: ['a', 'b'] }] }])
  const { data: clean } = (await post('twice/train', 'text,label\nPark here,a\nlunch,b\npark here,a\n')).json()
  assert.deepEqual(clean.lint, [])
})
