/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterQuestions, doubtOf, type ReviewQuestion } from '../../src/review/review-clusters.ts'

function asked(count: number, margin: number | 'refused'): ReviewQuestion {
  const last = {
    question: '',
    answerType: margin === 'refused' ? 'OFF_TOPIC' : 'CLASSIFIER',
    confidence: 0.5,
    margin: margin === 'refused' ? undefined : margin,
    askedAtMs: 0
  } as const
  return { question: '', count, last }
}

/** Unit vectors of the plane at these angles, in degrees: 41 between two are a cosine of 0.755, 42 one of 0.743. */
function atAngles(...angles: number[]) {
  const radians = angles.map((degrees) => (degrees * Math.PI) / 180)
  return { values: Float32Array.from(radians.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])), dimensions: 2 }
}

test('doubtOf() is 1 of what was refused or has no margin, and less the greater the margin', () => {
  assert.equal(doubtOf({ answerType: 'OFF_TOPIC', margin: 0.75 }), 1)
  assert.equal(doubtOf({ answerType: 'CLASSIFIER', margin: 0.75 }), 0.25)
  assert.equal(doubtOf({ answerType: 'CLASSIFIER', margin: undefined }), 1)
  // Decision values of a ridge model lie further apart.
  assert.equal(doubtOf({ answerType: 'CLASSIFIER', margin: 1.5 }), 0)
})

test('clusterQuestions() begins where the neighbourhood has the most doubt, and takes all of it', async () => {
  const questions = [asked(1, 0), asked(1, 0.5), asked(1, 0.5), asked(1, 0.5), asked(9, 0.9)]
  const clusters = await clusterQuestions(questions, atAngles(0, 100, 140, 180, 270), 9)
  assert.deepEqual(
    clusters.map(({ members, doubt }) => [members, Math.round(doubt * 10) / 10]),
    [
      [[2, 1, 3], 1.5],
      [[0], 1],
      [[4], 0.9]
    ]
  )
})

test('clusterQuestions() gives a question to one cluster only, and no more clusters than asked for', async () => {
  const questions = Array.from({ length: 5 }, () => asked(1, 'refused'))
  const chain = atAngles(0, 40, 80, 120, 160)
  const clusters = await clusterQuestions(questions, chain, 9)
  assert.deepEqual(
    clusters.map(({ members }) => members.length),
    [3, 2]
  )
  assert.deepEqual(new Set(clusters.flatMap(({ members }) => members)), new Set([0, 1, 2, 3, 4]))
  assert.equal((await clusterQuestions(questions, chain, 1)).length, 1)
  assert.deepEqual(await clusterQuestions([], atAngles(), 9), [])
})
