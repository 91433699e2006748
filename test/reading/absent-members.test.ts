/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { dropNullMembers, withNullMembers } from '../../src/reading/absent-members.ts'

const Part = Type.Object({ name: Type.String(), count: Type.Optional(Type.Integer()) })
const Schema = Type.Object({
  kind: Type.Enum(['a', 'b']),
  size: Type.Optional(Type.Enum(['small', 'large'])),
  exact: Type.Optional(Type.Literal('yes')),
  either: Type.Optional(Type.Union([Type.String(), Type.Number()])),
  nothing: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  parts: Type.Optional(Type.Array(Part)),
  byName: Type.Optional(Type.Record(Type.String(), Part))
})

const none = fc.constant(null)
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(fc.oneof(value, none), { nil: undefined })
const part = fc.record({ name: fc.string(), count: fc.oneof(fc.integer(), none) }, { requiredKeys: ['name'] })
const value = fc
  .record({
    kind: fc.oneof(fc.constantFrom('a', 'b'), none),
    size: optional(fc.constantFrom('small', 'large')),
    exact: optional(fc.constantFrom('yes', 'no')),
    either: optional(fc.oneof(fc.string(), fc.integer(), fc.boolean())),
    nothing: optional(fc.string()),
    parts: optional(fc.array(part, { maxLength: 3 })),
    byName: optional(fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(part, none)))
  })
  .map((members): unknown => JSON.parse(JSON.stringify(members)))

test('withNullMembers() says of every value what dropNullMembers() makes of it', () => {
  const described = Object(withNullMembers(Schema))
  fc.assert(
    fc.property(value, (sent) => {
      const isDescribed = Value.Check(described, sent)
      const taken = structuredClone(sent)
      dropNullMembers(taken, Schema)
      assert.equal(Value.Check(Schema, taken), isDescribed, JSON.stringify(sent))
    }),
    { numRuns: 2000, seed: 1 }
  )
})

test('withNullMembers() leaves required members and the schema that it was given as they are', () => {
  const before = structuredClone(Schema)
  const { properties } = Object(withNullMembers(Schema))
  assert.deepEqual(properties.kind, Schema.properties.kind)
  assert.deepEqual(structuredClone(Schema), before)
})
