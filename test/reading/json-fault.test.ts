/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeJsonFault } from '../../src/reading/json-fault.ts'

test('describeJsonFault() says where a text stops being JSON, and what is there', () => {
  const value = 'a value is wanted: a text in double quotes, a number, true, false, null, a list or an object'
  const more = 'more follows after the value: in place of JSON lines a list is wanted'
  const short = 'it ends before its value does'
  for (const [text, told] of [
    ['{"x":NaN}', 'line 1, column 6: NaN, for which JSON has null'],
    ['[1,\n -Infinity]', 'line 2, column 2: Infinity, for which JSON has null'],
    ['{"x":True}', 'line 1, column 6: True, for which JSON has true'],
    ["{'x':1}", 'line 1, column 2: another quote than ": a name in double quotes is wanted'],
    ['{"x":“y”}', `line 1, column 6: another quote than ": ${value}`],
    ['{x:1}', 'line 1, column 2: a name in double quotes is wanted'],
    ['{"x" 1}', 'line 1, column 6: a colon is wanted after a name'],
    ['{"x":[1,[]],}', 'line 1, column 12: a comma that nothing follows'],
    ['[[1,2],{},\r\n]', 'line 1, column 10: a comma that nothing follows'],
    ['[1 2]', 'line 1, column 4: a comma or the end of the list or object is wanted'],
    ['{"x":"C:\\Users"}', 'line 1, column 9: a backslash that begins no escape: a backslash itself is \\\\'],
    [
      '"a\nb"',
      'line 1, column 3: a line break or another control character within a text: \\n and the like are wanted'
    ],
    ['{"x":1} // y', `line 1, column 9: ${more}`],
    ['{"x":\n// y\n1}', 'line 2, column 1: a comment, which JSON lacks'],
    ['{"x":1}\n{"x":2}', `line 2, column 1: ${more}`],
    ['01', `line 1, column 1: ${value}`],
    ['hasOwnProperty', `line 1, column 1: ${value}`],
    ['{"x":"y', `line 1, column 8: ${short}`],
    ['{"x":[1,', `line 1, column 9: ${short}`],
    ['', `line 1, column 1: ${short}`]
  ] as const) {
    assert.throws(() => void JSON.parse(text), SyntaxError)
    assert.equal(describeJsonFault(text), told, text)
  }
})

test('describeJsonFault() finds the fault behind whatever is JSON', () => {
  const value = {
    a: [1, -2.5e-3, 'é\u007f\u0085 "\\/\n\u{1F600}', null, true, false, {}, []],
    '': { b: [[], [{ c: '' }]] }
  }
  for (const json of [JSON.stringify(value), JSON.stringify(value, null, '\t')]) {
    assert.match(describeJsonFault(`${json} x`), /: more follows after the value/)
    for (let end = 1; end < json.length; end += 1) {
      assert.match(
        describeJsonFault(json.slice(0, end)),
        /: (?:it ends before its value does|a value is wanted|a backslash)/
      )
    }
  }
})

test('describeJsonFault() reads texts however long', () => {
  const short = 'it ends before its value does'
  for (const character of ['😀', 'é', '\\n', ' ', '\u0085']) {
    const text = `"${character.repeat(8_000_000)}`
    assert.equal(describeJsonFault(text), `line 1, column ${text.length + 1}: ${short}`)
  }
  assert.match(describeJsonFault(`${'1'.repeat(8_000_000)}x`), /^line 1, column 1: a value is wanted/)
})
