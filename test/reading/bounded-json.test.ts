/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { measureJson, readJson } from '../../src/reading/bounded-json.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text)

/** As many arrays and objects in each other. */
const nested = (depth: number): Buffer => bytesOf(`${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`)

test('readJson() gives what JSON.parse gives, as deep as is allowed', () => {
  for (const text of ['null', '{"a":[1,"]]]]",{"b":"\\"[[["}]}', '"ä€😀"', ' [ ] ', '\ufeff{"a":1}', '"__proto__"']) {
    assert.deepEqual(readJson(bytesOf(text), { maxJsonDepth: 3 }), JSON.parse(text.replace('\ufeff', '')))
  }
})

test('readJson() refuses what is nested one deeper than is allowed, before it is parsed', () => {
  assert.ok(readJson(nested(10), { maxJsonDepth: 10 }))
  assert.throws(() => readJson(nested(12), { maxJsonDepth: 11 }), {
    code: 'INVALID_REQUEST',
    message: 'Cannot read the body: its JSON is nested more than 11 deep'
  })
  // Brackets that are never closed, or hide behind a text that is.
  for (const text of ['['.repeat(1000), `["\\"",${'{"a":'.repeat(1000)}`]) {
    assert.throws(() => readJson(bytesOf(text), {}), /nested more than 64 deep/)
  }
})

test('readJson() names the key __proto__, however it is written, and pollutes nothing', () => {
  for (const text of ['{"__proto__":{"a":1}}', '[{"b":{"\\u005f_pr\\u006Fto__" : 1}}]']) {
    assert.throws(() => readJson(bytesOf(text), {}), {
      code: 'INVALID_REQUEST',
      message: /the key "__proto__" is not taken/
    })
  }
  assert.equal(Reflect.get({}, 'a'), undefined)
})

test('readJson() says that text is no UTF-8, or no JSON, and quotes none of it', () => {
  assert.throws(() => readJson(Buffer.of(0x22, 0xff, 0x22), {}), {
    message: 'Cannot read the body: it is not UTF-8, from line 1 on'
  })
  assert.throws(
    () => readJson(bytesOf('{"a":secret'), {}),
    (error: Error) =>
      error.message.startsWith('Cannot read the body: it is not JSON: line 1, column ') && error.cause === undefined
  )
})

test('readJson() bounds a text in the charset that is declared as it bounds UTF-8', () => {
  const limits = { maxJsonDepth: 10 }
  assert.deepEqual(readJson(Buffer.from('["café"]', 'latin1'), limits, { charset: 'windows-1252' }), ['café'])
  const inUtf16 = (text: string): unknown => readJson(Buffer.from(text, 'utf16le'), limits, { charset: 'utf-16le' })
  assert.deepEqual(inUtf16('["ä€😀"]'), ['ä€😀'])
  assert.throws(() => inUtf16('['.repeat(11)), /nested more than 10 deep/)
  assert.throws(() => inUtf16('{"__proto__":1}'), /the key "__proto__" is not taken/)
})

test('readJson() refuses a value that would take more heap than there is for one', () => {
  const text = `[${'{},'.repeat(1000)}0]`
  const { heapBytes } = measureJson(bytesOf(text), 64)
  assert.ok(heapBytes > 1000 * 80)
  assert.ok(readJson(bytesOf(text), { maxJsonHeapBytes: heapBytes }))
  assert.throws(() => readJson(bytesOf(text), { maxJsonHeapBytes: heapBytes - 1 }), {
    code: 'PAYLOAD_TOO_LARGE',
    message: /would take some \d+ bytes of memory, at most \d+ are allowed/
  })
})

test('measureJson() estimates no less than V8 takes, for values of each kind', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  for (const [unit, count] of [
    ['[],', 200_000],
    ['{},', 200_000],
    ['{"a":1},', 200_000],
    ['"abcdefgh",', 200_000],
    ['"é€",', 200_000],
    ['1.5,', 200_000]
  ] as const) {
    const bytes = bytesOf(`[${unit.repeat(count)}0]`)
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    const value = JSON.parse(bytes.toString())
    const taken = process.memoryUsage().heapUsed - before
    assert.ok(Array.isArray(value))
    assert.ok(taken <= measureJson(bytes, 64).heapBytes, `${unit}: ${taken} > ${measureJson(bytes, 64).heapBytes}`)
  }
})
