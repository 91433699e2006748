/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findEntities, isAcronym } from '../../src/followup/entities.ts'
import { tagSentences } from '../../src/followup/tag-sentences.ts'
import { readAnnotations, tallyByType } from '../../tools/bench/entities/annotations.ts'

function entitiesOf(text: string): string[] {
  return tagSentences(text).flatMap((sentence) =>
    findEntities(sentence).map(({ type, text: name, hasArticle }) => `${type}: ${hasArticle ? 'the ' : ''}${name}`)
  )
}

function subjectsOf(text: string): string[] {
  return tagSentences(text).flatMap((sentence) =>
    findEntities(sentence).map(({ text: name, verbSubject }) => `${name}: ${verbSubject}`)
  )
}

test('findEntities() finds names that the tagger does not know', () => {
  assert.deepEqual(entitiesOf('BUDS is run in Coronado, and nobody sleeps.'), ['organisation: BUDS', 'place: Coronado'])
  assert.deepEqual(entitiesOf('Zoltaria and I rented a flat near Quellmouth.'), [
    'person: Zoltaria',
    'place: Quellmouth'
  ])
  assert.deepEqual(entitiesOf('I passed BUD/S, then I joined Veltronics.'), [
    'organisation: BUD/S',
    'organisation: Veltronics'
  ])
})

test('findEntities() keeps a name whole', () => {
  assert.deepEqual(
    entitiesOf('The Department of Fish and Game sent me to Port-au-Prince and the Strait of Magellan.'),
    ['organisation: the Department of Fish and Game', 'place: Port-au-Prince', 'place: the Strait of Magellan']
  )
  assert.deepEqual(entitiesOf("Dr. Smith met Johnson & Johnson's lawyers in St. Louis."), [
    'person: Dr. Smith',
    'organisation: Johnson & Johnson',
    'place: St. Louis'
  ])
  assert.deepEqual(entitiesOf('I went to Lagos, Accra and Dakar.'), ['place: Lagos', 'place: Accra', 'place: Dakar'])
})

test('findEntities() takes relatives of the speaker alone', () => {
  assert.deepEqual(entitiesOf('My two older brothers and my mother-in-law cook; his wife does not.'), [
    'family: brothers',
    'family: mother-in-law'
  ])
  assert.deepEqual(entitiesOf('I have a husband and two kids.'), ['family: husband', 'family: kids'])
  assert.deepEqual(entitiesOf('Uncle Ray and Mom drove.'), ['family: uncle', 'person: Ray', 'family: mom'])
  assert.deepEqual(entitiesOf('My brothers in arms spoke my mother tongue to the father of three.'), [])
})

test('findEntities() leaves out capitals that name nothing', () => {
  assert.deepEqual(entitiesOf('On Tuesday in March I spoke Portuguese, OK? The CEO watched TV. Nothing else.'), [])
  assert.deepEqual(entitiesOf('Honestly, welding is hard. Working late helps. Dogs bark.'), [])
  assert.deepEqual(entitiesOf(''), [])
})

test('findEntities() leaves out the name by which the speaker is introduced', () => {
  assert.deepEqual(entitiesOf("I'm Noor Halvorsen. My name is Noor. They call me Noor. I am with Hector."), [
    'person: Hector'
  ])
})

test('findEntities() tells whose verb it is', () => {
  assert.deepEqual(subjectsOf('I packed up and moved to Nairobi.'), ['Nairobi: I'])
  assert.deepEqual(subjectsOf("I've never really wanted to visit Nairobi."), ['Nairobi: I'])
  assert.deepEqual(subjectsOf('I spent a summer counting fish near Sitka.'), ['Sitka: I'])
  assert.deepEqual(subjectsOf('They sent me to Nairobi.'), ['Nairobi: OTHER'])
  assert.deepEqual(subjectsOf('I was late, and Hector waited in Nairobi.'), ['Hector: OTHER', 'Nairobi: OTHER'])
  assert.deepEqual(subjectsOf('Torque wrenches from NASA, mostly.'), ['NASA: NONE'])
})

test('isAcronym() wants two capitals or more, and nothing small but a plural', () => {
  assert.deepEqual(['NASA', 'BUD/S', 'U.N.', 'SEALs', 'C4I'].filter(isAcronym).length, 5)
  assert.deepEqual(['Nasa', 'I', 'McDonald', 'iOS', '747'].filter(isAcronym), [])
})

test('entities of sentences that the rules were not tuned on are found as well as the docs say', () => {
  const sentences = readAnnotations(
    readFileSync(new URL('../../tools/bench/entities/held-out.txt', import.meta.url), 'utf8')
  )
  assert.equal(sentences.length, 50)
  const tallies = tallyByType(
    sentences,
    sentences.map(({ text }) => tagSentences(text).flatMap(findEntities))
  )
  const sum = { right: 0, wrong: 0, missed: 0 }
  for (const tally of tallies.values()) {
    sum.right += tally.right
    sum.wrong += tally.wrong
    sum.missed += tally.missed
  }
  assert.ok(sum.right / (sum.right + sum.wrong) > 0.87, `precision: ${sum.right} right, ${sum.wrong} wrong`)
  assert.ok(sum.right / (sum.right + sum.missed) > 0.89, `recall: ${sum.right} right, ${sum.missed} missed`)
})
