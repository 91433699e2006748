/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { commentStyleOf, hasHeader, headerOf, withHeader } from '../../../tools/license/header.ts'

const LICENCE = 'First line.\nSecond line.\n'
const BLOCK = '/*\n * First line.\n * Second line.\n */\n'
const HASH = '# First line.\n# Second line.\n'

test('headerOf() writes the licence in the comments of the language', () => {
  assert.equal(headerOf(LICENCE, 'block'), BLOCK)
  assert.equal(headerOf(LICENCE, 'hash'), HASH)
})

test('commentStyleOf() knows source files by name, extension or first line', () => {
  const kinds: readonly [string, string, ReturnType<typeof commentStyleOf>][] = [
    ['src/bin/service.ts', '', 'block'],
    ['tools/encode-k6.js', '', 'block'],
    ['tools/reference.py', '', 'hash'],
    ['terraform/main.tf', '', 'hash'],
    ['terraform/stages/dev.tfvars', '', 'hash'],
    ['terraform/tests/stage.tftest.hcl', '', 'hash'],
    ['terraform/.terraform.lock.hcl', '', undefined],
    ['ebs/deploy.sh', '', 'hash'],
    ['Makefile', '', 'hash'],
    ['Dockerfile', '', 'hash'],
    ['.ci/run', '#!/usr/bin/env bash\n', 'hash'],
    ['.githooks/pre-commit', '#!/bin/sh\n', 'hash'],
    ['.github/workflows/ci.yml', '', 'hash'],
    ['LICENSE', 'MIT License\n', undefined],
    ['package.json', '{}', undefined],
    ['README.md', '# Title', undefined],
    ['test/fixtures/vectors.bin', '#!', undefined]
  ]
  for (const [path, content, style] of kinds) assert.equal(commentStyleOf(path, content), style, path)
})

test('withHeader() puts the header on top, one empty line above the code', () => {
  assert.equal(withHeader('export {}\n', BLOCK), `${BLOCK}\nexport {}\n`)
  assert.equal(withHeader('\n\nexport {}\n', BLOCK), `${BLOCK}\nexport {}\n`)
  assert.equal(withHeader('', HASH), HASH)
})

test('withHeader() leaves the lines on top that count only there', () => {
  for (const first of ['#!/usr/bin/env bash\n', '# syntax=docker/dockerfile:1\n']) {
    assert.equal(withHeader(`${first}echo hello\n`, HASH), `${first}${HASH}\necho hello\n`)
  }
})

test('withHeader() changes nothing the second time', () => {
  for (const content of ['export {}\n', '#!/usr/bin/env node\nexport {}\n', '']) {
    const once = withHeader(content, BLOCK)
    assert.ok(hasHeader(once, BLOCK))
    assert.equal(withHeader(once, BLOCK), once)
  }
})

test('hasHeader() is false for another licence text, and for the text further down', () => {
  assert.equal(hasHeader(`${BLOCK.replace('Second', 'Other')}\nexport {}\n`, BLOCK), false)
  assert.equal(hasHeader(`export {}\n${BLOCK}`, BLOCK), false)
})
