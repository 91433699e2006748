/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { lintRepertoire } from '../../src/mentor/lint.ts'
import { Mentor, repertoireOf } from '../../src/mentor/mentor.ts'
import { withTrainingData } from '../../src/mentor/sheet-merge.ts'
import { readTrainingData, trainingDataOf, writeTrainingData } from '../../src/mentor/training-data.ts'
import videoMentor from '../../examples/video-mentor.json' with { type: 'json' }

const csv = readFileSync(new URL('../../examples/mentor.csv', import.meta.url), 'utf8')

test('examples/mentor.csv is sound: 80 answers or more, with paraphrases, topics and off-topic utterances', () => {
  const { rows, problems } = readTrainingData(csv)
  assert.deepEqual(problems, [])
  assert.equal(writeTrainingData(rows), csv)
  const repertoire = repertoireOf(withTrainingData(undefined, rows))
  assert.ok(repertoire.answers.length >= 80)
  assert.ok(repertoire.utterances.get('_OFF_TOPIC_')!.length >= 2)
  const answerRows = rows.filter((row) => !row.question.startsWith('_'))
  assert.ok(answerRows.every((row) => row.paraphrases.length >= 3 && row.topics.length >= 1))
  assert.deepEqual(lintRepertoire(repertoire), [])
})

test('examples/video-mentor.json is a mentor: what is unfinished is left out, _IDLE_ needs no words', () => {
  assert.ok(Value.Check(Mentor, videoMentor))
  const { answers, matchable, utterances } = repertoireOf(videoMentor)
  const ids = new Set(answers.map((answer) => answer._id))
  assert.ok(ids.has('answer-strings') && ids.has('answer-museum'))
  assert.ok(!ids.has('answer-famous') && !ids.has('answer-secret'))
  assert.deepEqual(matchable, answers)
  assert.deepEqual([...utterances.keys()].toSorted(), [
    '_FEEDBACK_',
    '_IDLE_',
    '_INTRO_',
    '_OFF_TOPIC_',
    '_PROFANITY_',
    '_PROMPT_',
    '_REPEAT_'
  ])
})

test('examples/video-mentor.json survives its own training data, media and all', () => {
  const rows = readTrainingData(writeTrainingData(trainingDataOf(videoMentor))).rows
  const after = withTrainingData(videoMentor, rows)
  assert.deepEqual(trainingDataOf(after), trainingDataOf(videoMentor))
  assert.equal(after.answers?.[0]?.webMedia?.transparentVideoUrl, videoMentor.answers[0]!.webMedia!.transparentVideoUrl)
  assert.equal(after.answers?.length, videoMentor.answers.length)
})
