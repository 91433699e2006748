/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { FUNCTION_URL } from './edge.ts'
import { undocumentedFeatures } from './runtime-features.ts'

test('authorize.js uses only language features that CloudFront documents for its runtime 2.0', async () => {
  assert.deepEqual(undocumentedFeatures(await readFile(FUNCTION_URL, 'utf8')), [])
})

test('undocumentedFeatures() names what the runtime lacks', () => {
  for (const [source, feature] of [
    ['for (const x of y) z(x)', 'ForOfStatement'],
    ['async function f() { for await (const x of y) z(x) }', 'ForOfStatement'],
    ['class A {}', 'ClassDeclaration'],
    ['const { a } = b', 'ObjectPattern'],
    ['const [a] = b', 'ArrayPattern'],
    ['f(...a)', 'SpreadElement'],
    ['function f(a = 1) {}', 'AssignmentPattern'],
    ['a?.b', '?.'],
    ['a?.()', '?.'],
    ['a ?? b', '??'],
    ['a ??= b', '??='],
    ['const f = async () => 1', 'async arrow function'],
    ['const f = async function () {}', 'async closure'],
    ['function* f() { yield 1 }', 'generator function'],
    ['try { f() } catch { g() }', 'catch without a name'],
    ['f({ a })', 'shorthand property'],
    ['f({ a() {} })', 'method in an object'],
    ['f({ [a]: 1 })', 'computed property name'],
    ['1n', 'BigInt'],
    ['/a/u', 'regular expression flag of /u'],
    ['/(?<=a)b/', 'lookbehind'],
    ['f`a`', 'TaggedTemplateExpression'],
    ['export default 1', 'ExportDefaultDeclaration'],
    ['a.flatMap(b)', 'flatMap'],
    ['setTimeout(a)', 'setTimeout']
  ] as const) {
    assert(
      undocumentedFeatures(source).includes(`${feature} in line 1`),
      `${source}: ${undocumentedFeatures(source).join()}`
    )
  }
})
