/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntityMention } from '../../src/followup/entities.ts'
import { bareName, mergeMentions, questionAbout, subjectMatterOf } from '../../src/followup/templates.ts'

function mention(type: EntityMention['type'], text: string, more: Partial<EntityMention> = {}): EntityMention {
  return { type, text, hasArticle: false, verbSubject: 'OTHER', ...more }
}

test('questionAbout() puts each type into its own template', () => {
  const entities = mergeMentions([
    mention('person', 'Hector Villanueva'),
    mention('place', 'Danube', { hasArticle: true }),
    mention('organisation', 'BUDS'),
    mention('organisation', 'Coast Guard', { hasArticle: true }),
    mention('family', 'brother'),
    mention('organisation', 'Pay $& Go')
  ])
  assert.deepEqual(
    entities.map((entity) => [entity.type, questionAbout(entity)]),
    [
      ['person', 'Can you tell me more about Hector Villanueva?'],
      ['place', 'What was the Danube like?'],
      ['acronym', 'What is BUDS?'],
      ['organisation', 'What is the Coast Guard?'],
      ['family', 'Can you tell me more about your brother?'],
      ['organisation', 'What is Pay $& Go?']
    ]
  )
})

test('mergeMentions() makes one entity of all its mentions', () => {
  const entities = mergeMentions([
    mention('person', 'Hector Villanueva', { verbSubject: 'NONE' }),
    mention('place', 'Python'),
    mention('person', 'hector', { verbSubject: 'I' }),
    mention('organisation', 'Python'),
    mention('organisation', 'Python'),
    mention('person', 'Dr. Hector Villanueva', { verbSubject: 'NONE' })
  ])
  assert.deepEqual(entities, [
    { type: 'person', text: 'Hector Villanueva', hasArticle: false, hasVerb: true, isOfSpeaker: true },
    { type: 'organisation', text: 'Python', hasArticle: false, hasVerb: true, isOfSpeaker: false }
  ])
})

test('bareName() drops a title, unless it is all there is', () => {
  assert.deepEqual(['Dr. Smith', 'Coach', 'U.S.', 'St. Louis'].map(bareName), ['smith', 'coach', 'u s', 'st louis'])
})

test('subjectMatterOf() leaves of a question what it asks about', () => {
  const questions = [
    'Tell me about your brother.',
    'Who is Hector Villanueva?',
    'What was the Danube like?',
    'Who are you?'
  ]
  assert.deepEqual(questions.map(subjectMatterOf), ['brother', 'hector villanueva', 'danube', ''])
  assert.equal(subjectMatterOf('What did you do on the Danube?'), 'on danube')
})
