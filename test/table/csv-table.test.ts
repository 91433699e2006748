/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ServiceError } from '../../src/errors.ts'
import { positionOf, readCsv, readCsvStream, type CsvOptions } from '../../src/table/csv-table.ts'
import { charsetOf } from '../../src/reading/text-reader.ts'

const OPTIONS: CsvOptions = { wanted: ['text', 'label'], action: 'train' }

function utf16(text: string, order: 'le' | 'be', mark = true): Buffer {
  const bytes = Buffer.from((mark ? '\uFEFF' : '') + text, 'utf16le')
  return order === 'le' ? bytes : bytes.swap16()
}

function cellsOf(bytes: Uint8Array | string, options: Partial<CsvOptions> = {}): string[][] {
  const { names, rows } = readCsv(Buffer.from(bytes), { ...OPTIONS, ...options })
  return [[...names], ...rows.map(({ cells }) => [...cells])]
}

/** The same, in pieces of so many bytes. */
async function streamed(bytes: Uint8Array, sizes: readonly number[], options: Partial<CsvOptions> = {}) {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0, k = 0; at < bytes.length; k += 1) {
      const size = sizes[k % sizes.length]!
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
  const table = await readCsvStream(pieces(), { ...OPTIONS, ...options })
  if (table === undefined) return undefined
  const rows = []
  for await (const row of table.rows) rows.push(row)
  return { names: table.names, separator: table.separator, rows }
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

function refusal(bytes: Uint8Array, options: Partial<CsvOptions> = {}): ServiceError {
  let refused: unknown
  try {
    readCsv(bytes, { ...OPTIONS, ...options })
  } catch (error) {
    refused = error
  }
  assert.ok(refused instanceof ServiceError, String(refused))
  return refused
}

test('readCsv() takes CR LF, LF and CR, also mixed, and line breaks within quotes', () => {
  const rows = [
    ['text', 'label'],
    ['a', 'x'],
    ['b\r\nb', 'y'],
    ['c\nc', 'z']
  ]
  for (const csv of [
    'text,label\r\na,x\n"b\r\nb",y\r"c\nc",z',
    'text,label\na,x\r\n"b\r\nb",y\r\n"c\nc",z\r\n',
    'text,label\ra,x\r"b\r\nb",y\r\r"c\nc",z\r'
  ]) {
    assert.deepEqual(cellsOf(csv), rows, JSON.stringify(csv))
  }
})

test('readCsv() finds the separator by the names that are wanted, else by the header, and by a line sep=', () => {
  for (const separator of [',', ';', '\t', '|']) {
    const csv = `text${separator}note${separator}label\r\na${separator}b${separator}c\r\n`
    assert.deepEqual(cellsOf(csv), [
      ['text', 'note', 'label'],
      ['a', 'b', 'c']
    ])
    assert.deepEqual(cellsOf(csv, { wanted: ['other'] }), [
      ['text', 'note', 'label'],
      ['a', 'b', 'c']
    ])
    assert.deepEqual(cellsOf(`sep=${separator}\r\n${csv}`), [
      ['text', 'note', 'label'],
      ['a', 'b', 'c']
    ])
    assert.deepEqual(cellsOf(`"sep=${separator}"\n${csv}`), [
      ['text', 'note', 'label'],
      ['a', 'b', 'c']
    ])
  }
  assert.deepEqual(cellsOf('a;b,label\nx;y,z\n', { wanted: ['label'] }), [
    ['a;b', 'label'],
    ['x;y', 'z']
  ])
  assert.deepEqual(cellsOf('"text, or so";Label\nx;y\n', { wanted: ['label'] }), [
    ['text, or so', 'Label'],
    ['x', 'y']
  ])
  assert.deepEqual(cellsOf('sep=^\ntext^label\na,b^c\n'), [
    ['text', 'label'],
    ['a,b', 'c']
  ])
})

test('readCsv() reads UTF-8 and UTF-16 with their marks, and what is declared', () => {
  const csv = 'text;label\r\nŁódź — “café”;π\r\n'
  const rows = [
    ['text', 'label'],
    ['Łódź — “café”', 'π']
  ]
  assert.deepEqual(cellsOf(csv), rows)
  assert.deepEqual(cellsOf(`\uFEFF${csv}`), rows)
  for (const order of ['le', 'be'] as const) {
    assert.deepEqual(cellsOf(utf16(csv, order)), rows, order)
    for (const charset of ['utf-16', `utf-16${order}`]) {
      assert.deepEqual(cellsOf(utf16(csv, order, false), { charset: charsetOf(`text/csv; charset=${charset}`) }), rows)
    }
  }
  const western = Buffer.from('text,label\nZ\xFCrich \x97 \x93caf\xE9\x94,x\n', 'latin1')
  for (const charset of ['windows-1252', 'latin1', 'ISO-8859-1', '"cp1252"']) {
    const declared = charsetOf(`text/csv; charset=${charset}`)
    assert.deepEqual(cellsOf(western, { charset: declared })[1], ['Zürich — “café”', 'x'], charset)
  }
  const cyrillic = Buffer.from([...Buffer.from('text,label\n'), 0xcf, 0xf0, 0xe8, ...Buffer.from(',x\n')])
  assert.deepEqual(cellsOf(cyrillic, { charset: charsetOf('text/csv;charset=windows-1251') })[1], ['При', 'x'])
  assert.throws(() => charsetOf('text/csv; charset=klingon'), { code: 'UNSUPPORTED_MEDIA_TYPE' })
})

test('readCsv() refuses bytes in another encoding, and names the first line that has them', () => {
  for (const lineEnd of ['\n', '\r\n', '\r']) {
    const bytes = Buffer.from(['text,label', 'a,x', 'caf\xE9,y', 'd\xE9j\xE0,z', ''].join(lineEnd), 'latin1')
    const error = refusal(bytes)
    assert.equal(error.code, 'INVALID_REQUEST')
    assert.match(error.message, /line 3 is not UTF-8.*windows-1252/)
  }
  assert.match(refusal(utf16('text,label\na,b\n', 'le', false)).message, /line 1 holds a NUL: UTF-16/)
  assert.match(refusal(Buffer.from('text,label\na,b\n\xE2\x82', 'latin1')).message, /line 3 is not UTF-8/)
  for (const [lineEnd, end] of [
    ['\n', 'x'],
    ['\r', 'x'],
    ['\r\n', 'x'],
    ['ä\n', '\x80'.repeat(9)],
    ['\n', '\r\n\n']
  ] as const) {
    for (const count of [1, 63, 64, 65, 1000, 1001]) {
      const bytes = Buffer.concat([Buffer.from(lineEnd.repeat(count)), Buffer.of(0xe9), Buffer.from(end, 'latin1')])
      assert.match(refusal(bytes).message, new RegExp(`line ${count + 1} is not UTF-8`))
    }
  }
  assert.match(refusal(Buffer.concat([utf16('a,b\nc', 'le'), Buffer.of(0x00)])).message, /line 2 is not utf-16le/)
})

test('readCsv() says which kind of file it is that is no text, also under a charset that takes any byte', () => {
  const files = [
    [/a ZIP file, as \.xlsx and \.ods are/, 'PK\x03\x04\x14\x00xl/workbook.xml'],
    [/an old file of Office, as \.xls is/, '\xD0\xCF\x11\xE0\xA1\xB1'],
    [/compressed by gzip/, '\x1F\x8B\x08\x00abc'],
    [/compressed by zstd/, '\x28\xB5\x2F\xFDabc'],
    [/a PDF/, '%PDF-1.7\n']
  ] as const
  for (const [kind, content] of files) {
    for (const charset of [undefined, 'windows-1252']) {
      const { code, message } = refusal(Buffer.from(content, 'latin1'), { charset })
      assert.equal(code, 'INVALID_REQUEST')
      assert.match(message, kind)
      assert.match(message, /save a spreadsheet as CSV/)
    }
  }
  assert.deepEqual(cellsOf('PK,label\na,b\n'), [
    ['PK', 'label'],
    ['a', 'b']
  ])
})

test('what DOS ends a file with is no row and no part of a cell, wherever the pieces are cut; elsewhere it is text', async () => {
  const rows = [
    ['text', 'label'],
    ['a\u001A', 'b'],
    ['c', 'd']
  ]
  for (const end of ['\r\n\u001A', '\u001A\u001A', '\n']) {
    const bytes = Buffer.from(`text,label\r\na\u001A,b\r\nc,d${end}`)
    assert.deepEqual(cellsOf(bytes), rows)
    for (const size of [1, 2, 3, 1000]) {
      const table = await streamed(bytes, [size])
      assert.deepEqual(
        table?.rows.map(({ cells }) => cells),
        rows.slice(1),
        `${JSON.stringify(end)} in pieces of ${size}`
      )
    }
  }
})

test('readCsv() tells empty rows, and leaves out what is beyond the last name and empty', () => {
  const { names, rows, emptyRowCount } = readCsv(
    Buffer.from(',,,\r\ntext,label,,\r\na,b,,\r\n,,,\r\n\r\nc,d\r\ne,f,,g\r\n , ,,\r\n'),
    OPTIONS
  )
  assert.deepEqual(names, ['text', 'label'])
  assert.equal(emptyRowCount, 2)
  assert.deepEqual(
    rows.map(({ cells, number, line }) => [number, line, ...cells]),
    [
      [1, 3, 'a', 'b'],
      [3, 6, 'c', 'd'],
      [4, 7, 'e', 'f', '', 'g']
    ]
  )
  assert.deepEqual(readCsv(Buffer.from(''), OPTIONS).names, [])
  assert.deepEqual(readCsv(Buffer.from(',,\n\n'), OPTIONS).names, [])
})

test('readCsv() says the line and the separator of what is no CSV', () => {
  const error = refusal(Buffer.from('sep=;\ntext;label\n"a" b;c\n'))
  assert.match(error.message, /^Cannot train: line 3 is not CSV .*semicolon/)
  assert.equal(error.cause, undefined, 'which would quote the text in the log')
})

test('readCsvStream() reads the same, wherever the pieces are cut', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '—', '𝄞', ' ', '"', ',', ';', '\r', '\n'), maxLength: 6 })
  const lineEnd = fc.constantFrom('\r\n', '\n', '\r')
  const encode = {
    'utf-8': (text: string) => Buffer.from(text),
    'utf-8 with mark': (text: string) => Buffer.from(`\uFEFF${text}`),
    'utf-16le': (text: string) => utf16(text, 'le'),
    'utf-16be': (text: string) => utf16(text, 'be')
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell, lineEnd), { maxLength: 5 }),
      fc.constantFrom(...Object.values(encode)),
      fc.constantFrom(',', ';', '\t'),
      fc.constantFrom('', 'sep'),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
      async (records, encoded, separator, sepLine, sizes) => {
        const head = sepLine === '' ? '' : `sep=${separator}\r\n`
        const lines = records.map(([a, b, end]) => `${quote(a)}${separator}${quote(b)}${end}`)
        const bytes = encoded(`${head}text${separator}label\r\n${lines.join('')}`)
        const table = await streamed(bytes, sizes)
        assert.deepEqual(
          table?.rows.map(({ cells }) => cells),
          records.map(([a, b]) => [a, b])
        )
        const { rows, emptyRowCount } = readCsv(bytes, OPTIONS)
        assert.deepEqual(
          rows,
          table?.rows.filter(({ isEmpty }) => !isEmpty)
        )
        assert.equal(rows.length + emptyRowCount, records.length)
      }
    ),
    { numRuns: 300 }
  )
})

test('readCsvStream() names the line that is not UTF-8 in any piece', async () => {
  for (const size of [1, 2, 3, 7, 100]) {
    const bytes = Buffer.from('text,label\r\na,x\r\nb,y\r\ncaf\xE9,y\r\n', 'latin1')
    await assert.rejects(
      streamed(bytes, [size]),
      { code: 'INVALID_REQUEST', message: /line 4 is not UTF-8/ },
      String(size)
    )
  }
  assert.equal(await streamed(Buffer.from(''), [1]), undefined)
})

test('readCsvStream() ends its source when it is closed, or no more rows are taken', async () => {
  for (const end of ['close', 'rows'] as const) {
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('text,label\n'.repeat(100))
      } finally {
        resolve()
      }
    }
    const table = await readCsvStream(source(), OPTIONS)
    assert.ok(table)
    if (end === 'close') await table.close()
    else {
      await table.rows.next()
      await table.rows.return(undefined)
    }
    await ended
  }
})

test('positionOf() takes the one exact name, else the one that differs in case, else says which do', () => {
  assert.equal(positionOf('label', ['Label', 'label'], 'train'), 1)
  assert.equal(positionOf('label', ['text', ' LABEL '], 'train'), 1)
  assert.equal(positionOf('label', ['text'], 'train'), undefined)
  assert.throws(() => positionOf('label', ['label', 'text', 'label', 'LABEL'], 'train'), {
    code: 'INVALID_REQUEST',
    message: 'Cannot train: columns 1 and 3 are both named label: leave out all but one'
  })
  assert.throws(() => positionOf('label', ['Label', 'text', 'LABEL'], 'train'), {
    code: 'INVALID_REQUEST',
    message: /columns 1 and 3/
  })
})
