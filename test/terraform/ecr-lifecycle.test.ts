/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptImages, type RepositoryImage } from './ecr-lifecycle.ts'

function image(digest: string, ...tags: string[]): RepositoryImage {
  return { digest, tags }
}

function policyOf(...selections: readonly object[]): string {
  return JSON.stringify({ rules: selections.map((selection, index) => ({ rulePriority: index + 1, selection })) })
}

const prod = (countNumber: number) => ({
  tagStatus: 'tagged',
  tagPrefixList: ['prod-'],
  countType: 'imageCountMoreThan',
  countNumber
})
const any = (countNumber: number) => ({ tagStatus: 'any', countType: 'imageCountMoreThan', countNumber })

function digests(policy: string, images: readonly RepositoryImage[]): string[] {
  return keptImages(policy, images).map(({ digest }) => digest)
}

test('keptImages() keeps the youngest', () => {
  assert.deepEqual(digests(policyOf(any(2)), [image('a'), image('b'), image('c')]), ['b', 'c'])
})

test('keptImages() leaves to an earlier rule what that one selects, and counts it all the same', () => {
  const images = [image('a', 'prod-1'), image('b'), image('c'), image('d')]
  assert.deepEqual(digests(policyOf(prod(1), any(2)), images), ['a', 'c', 'd'])
  assert.deepEqual(digests(policyOf(any(2), prod(1)), images), ['c', 'd'], 'the order counts')
  assert.deepEqual(digests(policyOf(prod(1)), [image('a', 'prod-1'), image('b', 'prod-2')]), ['b'])
})

test('keptImages() keeps the parts of an index as long as the index', () => {
  const index = { digest: 'i', tags: ['v1', 'prod-1'], parts: ['x', 'y'] }
  assert.deepEqual(digests(policyOf(prod(1), any(1)), [image('x'), image('y'), index, image('z')]), [
    'x',
    'y',
    'i',
    'z'
  ])
})

test('keptImages() knows no rule that it would have to guess at', () => {
  assert.throws(() => keptImages(policyOf({ ...any(1), countType: 'sinceImagePushed' }), []), RangeError)
  assert.throws(() => keptImages(policyOf({ ...any(1), tagStatus: 'untagged' }), [image('a')]), RangeError)
})
