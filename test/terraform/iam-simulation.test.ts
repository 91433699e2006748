/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAllowed, type Condition, type Statement } from './iam-simulation.ts'

const ATTEMPT = { action: 's3:GetObject', resource: 'arn:aws:s3:::a/b' }

function statement(change: Partial<Statement> = {}): Statement {
  return { effect: 'Allow', actions: ['s3:Get*'], resources: ['arn:aws:s3:::a/*'], ...change }
}

test('isAllowed() allows what a statement names, by wildcards and whatever the case of the action', () => {
  assert(isAllowed([statement()], ATTEMPT))
  assert(isAllowed([statement({ actions: ['S3:getobject'] })], ATTEMPT))
  assert(!isAllowed([], ATTEMPT))
  assert(!isAllowed([statement({ actions: ['s3:Put*'] })], ATTEMPT))
  assert(!isAllowed([statement({ resources: ['arn:aws:s3:::a'] })], ATTEMPT))
  assert(!isAllowed([statement({ resources: ['arn:aws:s3:::A/*'] })], ATTEMPT), 'resources have a case')
})

test('isAllowed(): a Deny wins, but not of what it excepts', () => {
  assert(!isAllowed([statement(), statement({ effect: 'Deny' })], ATTEMPT))
  const deny = { effect: 'Deny', actions: ['s3:GetObject*'] } as const
  assert(!isAllowed([statement(), { ...deny, notResources: ['arn:aws:s3:::c/*'] }], ATTEMPT))
  assert(isAllowed([statement(), { ...deny, notResources: ['arn:aws:s3:::a/*'] }], ATTEMPT))
})

test('isAllowed(): a boundary takes away and gives nothing', () => {
  const everything = statement({ actions: ['*'], resources: ['*'] })
  assert(isAllowed([everything], ATTEMPT, [statement()]))
  assert(!isAllowed([everything], { ...ATTEMPT, action: 'iam:CreateUser' }, [statement()]))
  assert(!isAllowed([], ATTEMPT, [everything]))
})

test('isAllowed() keeps to conditions, and to what each says of an absent key', () => {
  const tag = 'aws:ResourceTag/Stage'
  for (const [condition, context, expected] of [
    [{ test: 'StringEquals', variable: tag, values: ['dev', 'test'] }, { [tag]: 'dev' }, true],
    [{ test: 'StringEquals', variable: tag, values: ['dev'] }, { [tag]: 'prod' }, false],
    [{ test: 'StringEquals', variable: tag, values: ['dev'] }, {}, false],
    [{ test: 'StringEqualsIfExists', variable: tag, values: ['dev'] }, {}, true],
    [{ test: 'StringEqualsIfExists', variable: tag, values: ['dev'] }, { [tag]: 'prod' }, false],
    [{ test: 'StringLike', variable: 'sub', values: ['repo:a/b:*'] }, { sub: 'repo:a/b:c' }, true],
    [{ test: 'ForAnyValue:StringEquals', variable: 'via', values: ['cf'] }, { via: ['eb', 'cf'] }, true],
    [{ test: 'ForAnyValue:StringEquals', variable: 'via', values: ['cf'] }, {}, false],
    [{ test: 'ForAllValues:StringLike', variable: 'names', values: ['a', '_*.a'] }, { names: ['a', '_x.a'] }, true],
    [{ test: 'ForAllValues:StringLike', variable: 'names', values: ['a'] }, { names: ['a', 'b'] }, false]
  ] satisfies [Condition, Record<string, string | string[]>, boolean][]) {
    assert.equal(isAllowed([statement({ conditions: [condition] })], { ...ATTEMPT, context }), expected, condition.test)
  }
  assert.throws(
    () => isAllowed([statement({ conditions: [{ test: 'DateLike', variable: 'a', values: [] }] })], ATTEMPT),
    RangeError
  )
})
