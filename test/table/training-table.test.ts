/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableHash, packTable, unpackTable } from '../../src/table/packed-table.ts'
import { isDecimal } from '../../src/table/table-cell.ts'
import { TrainingReader } from '../../src/table/training-reader.ts'
import { packTraining } from '../../src/table/training-request.ts'
import { readTrainingTable, type TableOptions } from '../../src/table/training-table.ts'
import { ServiceError } from '../../src/errors.ts'
import { ReadingLine } from '../../src/reading/reading-line.ts'
import type { TableTrainingOptions } from '../../src/table/training-options.ts'

const LIMITS = { maxTrainingRows: 100, maxTrainingColumns: 5, maxTextCharacters: 50, embeddingDimensions: 384 }

function read(source: string | readonly unknown[], options: TableOptions = {}) {
  return readTrainingTable(source, options, LIMITS)
}

/** What is said about a table that is refused. */
function faultsOf(source: string | readonly unknown[], options: TableOptions = {}) {
  let refused: unknown
  assert.throws(
    () => read(source, options),
    (error) => {
      refused = error
      return true
    }
  )
  assert.ok(refused instanceof ServiceError)
  const { code, message, fields } = refused
  return { code, message, fields }
}

test('readTrainingTable() tells numbers from texts, and puts texts first', () => {
  const table = read('size,name,label\n1,small,b\n2.5,large,a\n-3e2,tiny,b\n')
  assert.deepEqual(table.signature, {
    features: [
      { name: 'name', type: 'text' },
      { name: 'size', type: 'number' }
    ],
    label: { name: 'label', type: 'text' }
  })
  assert.deepEqual(table.columns.get('size'), Float64Array.of(1, 2.5, -300))
  assert.deepEqual(table.columns.get('name'), ['small', 'large', 'tiny'])
  assert.deepEqual(
    [table.classIds, [...table.labels]],
    [
      ['a', 'b'],
      [1, 0, 1]
    ]
  )
})

test('readTrainingTable() reads JSON rows: 1 and 1.0 are one class, classes of numbers ascend', () => {
  const table = read([
    { x: 1, label: 10 },
    { x: 2, label: 9 },
    { x: 3, label: -0 },
    { x: 1, label: 10.0 }
  ])
  assert.deepEqual(
    [table.classIds, [...table.labels], [...table.groups]],
    [
      ['0', '9', '10'],
      [2, 1, 0, 2],
      [0, 1, 2, 0]
    ]
  )
})

test('readTrainingTable() takes types that it is given, and leaves out what it is told to', () => {
  const csv = 'id,zip,kind\n1,10115,0\n2,20095,1\n3,10115,0\n'
  const table = read(csv, { label: 'kind', types: { id: 'ignore', zip: 'text', kind: 'text' } })
  assert.deepEqual(table.signature, {
    features: [{ name: 'zip', type: 'text' }],
    label: { name: 'kind', type: 'text' }
  })
})

test('readTrainingTable() names every fault by column and row', () => {
  const faults = faultsOf(
    'a,b,c,label\n1,x,5,yes\n,y,5,no\nNaN,,5,yes\n1e308,z,5,\nten,z,5,no\n-inf,w,5,no\n2,w,5,no\n3,w,5,no\n4,w,5,no\n'
  )
  assert.equal(faults.code, 'INVALID_REQUEST')
  assert.equal(faults.message, 'Cannot train: column a, row 2: no value (and 7 more)')
  assert.deepEqual(faults.fields, {
    a: [
      'row 2: no value',
      'row 3: not a number, as most others are',
      'row 4: too large a number, at most 1e+100 is allowed',
      'row 5: not a number, as most others are',
      'row 6: not a number, as most others are'
    ],
    b: ['row 3: no value'],
    c: ['the same in every row, which tells nothing: leave it out, or give it type ignore'],
    label: ['row 4: no value']
  })
  assert.equal(JSON.stringify(faults).includes('ten'), false)
})

test('readTrainingTable() names faults of JSON rows', () => {
  assert.deepEqual(
    faultsOf([{ a: 1, label: 'x' }, { label: 'y' }, { a: '3a', label: 'x' }, { a: 4, label: 'y' }]).fields,
    {
      a: ['row 2: no value', 'row 3: not a number, as most others are']
    }
  )
  assert.deepEqual(faultsOf([{ a: [1], label: 'x' }, 7]).fields, {
    a: ['row 1: neither a text nor a number'],
    table: ['row 2: not an object of columns']
  })
  assert.deepEqual(
    faultsOf([
      { a: Infinity, label: 1 },
      { a: 2, label: Number.NaN }
    ]).fields,
    {
      a: ['row 1: too large a number, at most 1e+100 is allowed'],
      label: ['row 2: not a number']
    }
  )
  assert.deepEqual(
    faultsOf([
      { a: 'x'.repeat(51), label: 1 },
      { a: 'y', label: 2 }
    ]).fields,
    {
      a: ['row 1: 51 characters, at most 50 are allowed']
    }
  )
})

test('readTrainingTable() refuses what nothing can be learned from', () => {
  assert.deepEqual(faultsOf('a,label\n1,x\n2,x\n').fields, { label: ['one class only, at least 2 wanted'] })
  assert.deepEqual(faultsOf('a,b\n1,x\n2,y\n').fields, { label: ['required field'] })
  assert.deepEqual(faultsOf('a,label\n1,x\n2,y\n', { types: { d: 'text' } }).fields, {
    d: ['its type is given, but there is no such column']
  })
  assert.match(faultsOf('a,label\n1,x\n').message, /1 rows, at least 2 wanted/)
  assert.match(faultsOf('label\nx\ny\n').message, /no column beside the label/)
  assert.match(faultsOf('').fields?.['label']?.join() ?? '', /required field/)
  assert.match(faultsOf('a,a,label\n1,2,x\n').message, /column 2 has the name of another/)
  assert.match(faultsOf('a,,label\n1,2,x\n').message, /column 2 has no name/)
  assert.match(faultsOf('a,label\n1,x\n2,"y" z\n').message, /line 3 is not CSV/)
  assert.deepEqual(faultsOf('a,label\n1\n2,y\n').fields, { label: ['row 1: no value'] })
  assert.deepEqual(faultsOf('a,label\n1,x,9\n2,y\n').fields?.['table'], ['row 1: 3 cells, 2 wanted'])
})

test('readTrainingTable() reads rows that lack separators at their end', () => {
  const table = read('a,label,note\n1,x\n2,y\n3,x\n')
  assert.deepEqual([table.rowCount, table.dropped.emptyColumns], [3, ['note']])
})

test('readTrainingTable() leaves out a column in which a program numbered the rows', () => {
  for (const [name, told] of [
    ['', 'column 1'],
    ['Unnamed: 0', 'Unnamed: 0'],
    ['...1', '...1']
  ]) {
    for (const csv of [
      `${name},a,label\n0,1,x\n1,2,y\n2,4,x\n`,
      `"${name}","a","label"\n"3",1,x\n"1",2,y\n"2",4,x\n`
    ]) {
      const { signature, dropped } = read(csv)
      assert.deepEqual([signature.features.map((feature) => feature.name), dropped.numberingColumns], [['a'], [told]])
    }
  }
  const kept = read('Unnamed: 0,a,label\n0,1,x\n1,2,y\n', { types: { 'Unnamed: 0': 'number' } })
  assert.equal(kept.signature.features.length, 2)
  assert.match(faultsOf(',a,label\n5,1,x\n5,2,y\n').message, /column 1 has no name/)
  assert.match(faultsOf(',a,label\nMazda,1,x\nFiat,2,y\n').message, /column 1 has no name/)
})

test('readTrainingTable() finds columns whose names have characters that nobody sees', () => {
  assert.deepEqual(read('\u200ba\u00a0,\u2060label\u200b\n1,x\n2,y\n').signature, {
    features: [{ name: 'a', type: 'number' }],
    label: { name: 'label', type: 'text' }
  })
})

test('readTrainingTable() leaves out the header that joined files repeat', () => {
  const table = read('\uFEFFtext,label\na,x\nb,y\n\uFEFFtext,label\nc,x\n')
  assert.deepEqual([table.rowCount, table.classIds, table.dropped.headerRowCount], [3, ['x', 'y'], 1])
})

function labelOf(one: string, other: string): string[] {
  const { signature, classIds } = read(`n,label\n1,${one}\n2,${other}\n3,${other}\n`)
  return [signature.label.type, ...classIds]
}

test('readTrainingTable() takes labels for texts that a number would change', () => {
  assert.deepEqual(labelOf('007', '7'), ['text', '007', '7'])
  assert.deepEqual(labelOf('12345678901234567890', '12345678901234567891'), [
    'text',
    '12345678901234567890',
    '12345678901234567891'
  ])
  assert.deepEqual(labelOf('0', '0.5'), ['number', '0', '0.5'])
  assert.deepEqual(labelOf('-1', '+1'), ['number', '-1', '1'])
  const rows = [12_345_678_901_234_567_000, 2, 2].map((label, n) => ({ n, label }))
  assert.deepEqual(faultsOf(rows).fields, { label: ['row 1: more digits than a number holds: send it as a text'] })
})

test('readTrainingTable() reads numbers that JSON has as texts, and keeps texts as labels', () => {
  const { signature, columns, classIds } = read([
    { a: '1', label: '1' },
    { a: '-2.5', label: '0' },
    { a: 3, label: '1' }
  ])
  assert.deepEqual(signature, {
    features: [{ name: 'a', type: 'number' }],
    label: { name: 'label', type: 'text' }
  })
  assert.deepEqual([columns.get('a'), classIds], [Float64Array.of(1, -2.5, 3), ['0', '1']])
})

test('readTrainingTable() refuses to embed numbers that are formatted for people', () => {
  const problem =
    'row 1: a number with a decimal comma, separated thousands, a unit or the like: write 1234.5, or give type text'
  for (const [one, two] of [
    ['"1,5"', '"-2,5"'],
    ['"1,234.50"', '"12,345.00"'],
    ['1.234.567', '2.000.000'],
    ['"1 234,5"', '"1\u202f234,5"'],
    ['12%', '13 %'],
    ['€5.20', '7 €'],
    ['１２', '３'],
    ["1'234.5", "9'876'543"]
  ]) {
    assert.deepEqual(faultsOf(`a,label\n${one},x\n${two},y\n`).fields, { a: [problem] }, one)
    assert.equal(read(`a,label\n${one},x\n${two},y\n`, { types: { a: 'text' } }).signature.features[0]?.type, 'text')
  }
  assert.deepEqual(
    faultsOf([
      { a: '1,5', label: 'x' },
      { a: '2,5', label: 'y' }
    ]).fields,
    { a: [problem] }
  )
  for (const text of [
    '1.2.3',
    '2024-01-31',
    '31.12.2024',
    '12:30',
    '5 apples',
    '1-5',
    '10115 Berlin',
    '+',
    '%',
    '192.168.10.1'
  ]) {
    assert.equal(read(`a,label\n${text},x\n${text}!,y\n`).signature.features[0]?.type, 'text', text)
  }
})

test('readTrainingTable() tells labels that hardly differ', () => {
  const { similarLabels } = read(
    'a,label\n1,Bug\n2,bug\n3,cafe\u0301\n4,caf\u00e9\n5,other\n6,two  words\n7,two words\n8,other\u200b\n'
  )
  assert.deepEqual(similarLabels, {
    count: 4,
    examples: [
      { rows: [1, 2], labels: ['Bug', 'bug'] },
      { rows: [3, 4], labels: ['cafe\u0301', 'caf\u00e9'] },
      { rows: [5, 8], labels: ['other', 'other\u200b'] },
      { rows: [6, 7], labels: ['two  words', 'two words'] }
    ]
  })
  assert.equal(read('a,label\n1,x\n2,y\n').similarLabels, undefined)
})

function rowsCsv(count: number): string {
  return `a,label\n${'1,x\n2,y\n'.repeat(count / 2)}`
}

test('readTrainingTable() names the limit that a table is beyond', () => {
  assert.equal(read(rowsCsv(100)).rowCount, 100)
  for (const table of [rowsCsv(102), Array.from({ length: 101 }, (_, i) => ({ a: i, label: i % 2 }))]) {
    const { code, message } = faultsOf(table)
    assert.deepEqual(
      [code, message],
      ['PAYLOAD_TOO_LARGE', 'Cannot read the table: it has more than 100 rows (MAX_TRAINING_ROWS)']
    )
  }
  const names = Array.from({ length: 200 }, (_, i) => `c${i}`)
  const wide = [...names, 'label'].join(',')
  for (const table of [`${wide}\n`, [Object.fromEntries(names.map((name) => [name, 1]))]]) {
    assert.match(faultsOf(table).message, /more than 5 columns beside the label \(MAX_TRAINING_COLUMNS\)/)
  }
  const texts5 = 'a,b,c,d,e,label\na,a,a,a,a,1\nb,b,b,b,b,2\n'
  assert.match(faultsOf(texts5).message, /5 columns of texts, at most 4 are allowed: join some/)
  const large = { ...LIMITS, embeddingDimensions: 20_000_000 }
  const texts = 'a,label\nx,1\ny,2\n'
  assert.throws(() => readTrainingTable(texts, {}, large), /at most 20000000 numbers in all are allowed/)
})

test('a table is the same after it was packed, and its hash is of what it teaches', async () => {
  const table = read('name,size,label\nstraße,1,b\n"a\nb",2,a\n😀,3,b\n')
  const notes = { c: 10, isForced: true, dataHash: tableHash(table) }
  const { dropped: _dropped, contradictions: _contradictions, similarLabels: _similarLabels, ...kept } = table
  assert.deepEqual(await unpackTable(packTable(table, notes)), { ...kept, ...notes })
  const other = read('name,size,label\nstraße,1,b\n"a\nb",2,a\n😀,3,a\n')
  assert.notEqual(tableHash(other), tableHash(table))
  assert.equal(tableHash(read('size,name,label\n1,straße,b\n2,"a\nb",a\n3,😀,b\n')), tableHash(table))
})

function packed(body: string, source: 'csv' | 'json', options: TableTrainingOptions = {}) {
  return packTraining(Buffer.from(body), { kind: source }, options, LIMITS)
}

test('packTraining() takes options beside rows before those of the address', () => {
  const rows = [
    { a: 1, kind: 'x' },
    { a: 2, kind: 'y' }
  ]
  const { summary } = packed(JSON.stringify({ rows, label: 'kind', types: { a: 'text' } }), 'json', { label: 'other' })
  assert.deepEqual(summary, {
    signature: { features: [{ name: 'a', type: 'text' }], label: { name: 'kind', type: 'text' } },
    rowCount: 2,
    classCount: 2,
    dropped: { emptyRowCount: 0, headerRowCount: 0, emptyColumns: [], numberingColumns: [] },
    contradictions: undefined,
    similarLabels: undefined
  })
  for (const body of ['', '{', '3', '{"rows":1}', '{"rows":[],"typos":1}', '{"rows":[],"c":0}']) {
    assert.throws(() => packed(body, 'json'), /Cannot read the table: /)
  }
  assert.throws(() => packTraining(Uint8Array.of(0xc3, 0x28), { kind: 'csv' }, {}, LIMITS), /not UTF-8/)
})

test('TrainingReader reads a large table in a thread, with the same outcome', async () => {
  const limits = { ...LIMITS, maxTrainingRows: 50_000 }
  const reader = new TrainingReader(
    limits,
    { dimensions: 384 },
    new ReadingLine({ maxWaitingBodies: 3, maxWaitingOfCaller: 3, readingMemoryBytes: 268_435_456 })
  )
  const caller = { callerKey: 'caller-1' }
  const csv = `a,label\n${Array.from({ length: 20_000 }, (_, i) => `${i},${i % 2}`).join('\n')}`
  const here = packTraining(Buffer.from(csv), { kind: 'csv' }, {}, limits)
  const body = Buffer.from(csv)
  assert.ok(body.length > 65_536)
  const [there, refused] = await Promise.allSettled([
    reader.read(body, { kind: 'csv' }, {}, caller),
    reader.read(Buffer.from(`${csv}\nx,1`), { kind: 'csv' }, {}, caller)
  ])
  assert.ok(there.status === 'fulfilled')
  assert.deepEqual([there.value.summary, Buffer.from(there.value.bytes)], [here.summary, Buffer.from(here.bytes)])
  assert.ok(refused.status === 'rejected' && refused.reason instanceof ServiceError)
  assert.deepEqual(refused.reason.fields, { a: ['row 20001: not a number, as most others are'] })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 6 }, () => reader.read(Buffer.from(csv), { kind: 'csv' }, {}, caller))
  )
  const busy = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []))
  assert.equal(busy.length, 2)
  assert.match(busy.join(), /as many large ones of this caller wait as may/)
})

test('isDecimal() takes time in proportion to the text', { timeout: 20_000 }, () => {
  assert.equal(isDecimal(`${'1'.repeat(2_000_000)}x`), false)
  assert.equal(isDecimal(`-${'1'.repeat(2_000_000)}.5e3`), true)
  for (const text of ['1', '1.', '.5', '-1.5e3', '+1E-3']) assert.equal(isDecimal(text), true, text)
  for (const text of ['', '.', '1.2.3', 'e3', '1e', '0x10', '1,5']) assert.equal(isDecimal(text), false, text)
})
