/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { findWording, isExcepted } from '../../../tools/prose/find-wording.ts'

/** What is found in a file, as `line: wording`. */
function found(path: string, ...lines: string[]): string[] {
  return findWording(path, lines.join('\n')).map(({ line, found: wording }) => `${line}: ${wording}`)
}

test('findWording() finds a term of the glossary in a page, a comment and a text in quotes', () => {
  assert.deepEqual(found('README.md', '# Jobs', '', 'A job can be called off.'), ['3: called off'])
  assert.deepEqual(found('src/a.ts', 'const a = 1', '/** Hands in a job. */', 'const b = 2'), ['2: Hands in'])
  assert.deepEqual(found('src/a.ts', 'const a = 1 // Rings the bell.'), ['1: bell'])
  assert.deepEqual(found('src/a.c', 'int a;', '/* Each seat', '   is one thread. */'), ['2: seat'])
  assert.deepEqual(found('src/a.ts', "throw new Error('Cannot write: the gatherer is full')"), ['1: gatherer'])
  assert.deepEqual(found('src/a.ts', 'const a = `Call it off: ${id}`'), ['1: Call it off'])
})

test('findWording() finds a wording that goes on in the next line of a comment or a page', () => {
  assert.deepEqual(found('src/a.ts', '/**', ' * A job that someone called', ' * off.', ' */'), ['2: called off'])
  assert.deepEqual(found('src/a.ts', '// A job that someone called', '// off.'), ['1: called off'])
  assert.deepEqual(found('docs/a.md', 'A job that someone called', 'off.'), ['1: called off'])
})

test('findWording() leaves code, addresses and examples in pages alone, and what stands in two pieces', () => {
  assert.deepEqual(found('docs/a.md', '```', 'bell', '```', 'See [here](desk.md), and `bell`.'), [])
  assert.deepEqual(found('src/a.ts', 'const a = /bell/', '/** See `bell` and {@link bell}. */'), [])
  assert.deepEqual(found('src/a.ts', "const a = ['call', 'off']"), [])
  assert.deepEqual(found('docs/a.md', 'This is a call', '', 'off.'), [])
})

test('findWording() finds no term in a longer word or in another sense', () => {
  assert.deepEqual(found('docs/a.md', 'Labels, the seating plan, a desktop, measured figures, parts of a form.'), [])
  assert.deepEqual(found('docs/a.md', 'Authorise it by hand in the console.', 'The call is cut off.'), [])
  assert.deepEqual(found('docs/a.md', 'Endings of words.'), [])
  assert.deepEqual(found('src/embedding/native/a.c', '/* The ending adds the bias. */'), ['1: ending'])
})

test('findWording() finds sentences that begin with what should come second', () => {
  assert.deepEqual(found('src/a.ts', '/** Of the batch that runs. */'), ['1: Of the'])
  assert.deepEqual(found('docs/a.md', 'It is kept. Of a match the score is none.'), ['1: Of a'])
  assert.deepEqual(found('docs/a.md', 'Who may read a mentor may judge it.'), ['1: Who may read a mentor may'])
  assert.deepEqual(found('docs/a.md', '## Who may do what', '', 'Who can see it?', '', 'One of the rows.'), [])
})

test('findWording() finds which … that … which in one sentence, not in two', () => {
  const sentence = 'It has a key, which names the file that holds the rows, which are sorted.'
  assert.deepEqual(found('docs/a.md', sentence).length, 1)
  assert.deepEqual(found('docs/a.md', 'It has a key, which names the file. That holds rows, which are sorted.'), [])
})

test('findWording() finds names of code too, parts of a message not among them', () => {
  assert.deepEqual(found('src/a.ts', 'class QueueBell {}', 'const trainingDesk = 1', 'interface AppParts {}'), [
    '1: QueueBell',
    '2: trainingDesk',
    '3: AppParts'
  ])
  assert.deepEqual(found('src/a.ts', 'const parts = label.split(" ")', 'const labelled = 1'), [])
})

test('isExcepted() is true of a file that the glossary names, and of no other', () => {
  const [inList] = findWording('src/followup/word-lists.ts', "const ORGANISATIONS = 'company firm'")
  const [elsewhere] = findWording('src/followup/rank.ts', "const ORGANISATIONS = 'company firm'")
  assert.ok(inList !== undefined && isExcepted(inList))
  assert.ok(elsewhere !== undefined && !isExcepted(elsewhere))
})
