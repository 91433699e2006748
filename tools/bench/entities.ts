/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Measures how well entities are found in the annotated sentences of tools/bench/entities, and prints JSON.
 *
 * Compared are this service's extractor, compromise as it comes and, where its findings are given, spaCy:
 *   python3 tools/bench/entities/spacy_entities.py > spacy.json
 *   npm exec -- node tools/bench/entities.ts spacy.json
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import nlp from 'compromise'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { findEntities } from '../../src/followup/entities.ts'
import { tagSentences } from '../../src/followup/tag-sentences.ts'
import {
  ENTITY_TYPES,
  readAnnotations,
  tallyByType,
  type AnnotatedSentence,
  type Entity
} from './entities/annotations.ts'
import type { EntitiesResult } from './report/entities.ts'

type Extract = (text: string) => readonly Entity[]

const HALVES = ['tuning', 'held-out'] as const

const ours: Extract = (text) => tagSentences(text).flatMap(findEntities)

const plainCompromise: Extract = (text) => {
  const doc = nlp(text)
  const names: Record<string, string[]> = {
    person: doc.people().out('array'),
    place: doc.places().out('array'),
    organisation: [...doc.organizations().out('array'), ...doc.acronyms().out('array')]
  }
  return ENTITY_TYPES.flatMap((type) => (names[type] ?? []).map((name) => ({ type, text: name })))
}

const extractors: [string, Extract][] = [
  ['this service', ours],
  ['compromise alone', plainCompromise]
]
const spacyPath = process.argv[2]
if (spacyPath !== undefined) extractors.push(['spaCy en_core_web_sm', readFindings(spacyPath)])

const halves = HALVES.map((half) => {
  const path = join(import.meta.dirname, 'entities', `${half}.txt`)
  const sentences = readAnnotations(readFileSync(path, 'utf8'))
  return {
    half,
    sentenceCount: sentences.length,
    extractors: extractors.map(([name, extract]) => ({ name, types: talliesOf(extract, sentences) }))
  }
})
const result: EntitiesResult = { halves, msPerSentence: timeOfSentence() }
process.stdout.write(`${JSON.stringify(result)}\n`)

function talliesOf(extract: Extract, sentences: readonly AnnotatedSentence[]) {
  const tallies = tallyByType(
    sentences,
    sentences.map(({ text }) => extract(text))
  )
  return ENTITY_TYPES.map((type) => ({ type, ...tallies.get(type)! }))
}

function timeOfSentence(): number {
  const texts = HALVES.flatMap((half) =>
    readAnnotations(readFileSync(join(import.meta.dirname, 'entities', `${half}.txt`), 'utf8')).map(({ text }) => text)
  )
  const start = performance.now()
  for (const text of texts) ours(text)
  return (performance.now() - start) / texts.length
}

/** Findings of another program, by sentence. */
function readFindings(path: string): Extract {
  const schema = Type.Record(
    Type.String(),
    Type.Array(Type.Object({ type: Type.Enum([...ENTITY_TYPES]), text: Type.String() }))
  )
  const findings = Value.Parse(schema, JSON.parse(readFileSync(path, 'utf8')))
  return (text) => {
    const entities = findings[text]
    if (entities === undefined) throw new Error('Cannot compare: the findings are of other sentences')
    return entities
  }
}
