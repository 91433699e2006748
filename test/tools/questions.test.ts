/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import questions from '../../tools/questions.json' with { type: 'json' }

test('tools/questions.json has 400 distinct questions of 5 to 60 words, as many long ones as a load test needs', () => {
  const wordCounts = questions.map((question) => question.split(/\s+/).length)
  assert.equal(questions.length, 400)
  assert.equal(new Set(questions.map((question) => question.toLowerCase())).size, 400)
  assert.ok(wordCounts.every((count) => count >= 5 && count <= 60))
  assert.ok(wordCounts.filter((count) => count >= 20).length >= 40)
  assert.ok(questions.every((question) => question === question.trim()))
})
