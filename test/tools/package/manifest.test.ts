/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importedPackages, packedManifest } from '../../../tools/package/manifest.ts'

const REPOSITORY = {
  name: 'a-service',
  version: '1.2.3',
  private: true,
  description: 'The service.',
  license: 'MIT',
  type: 'module',
  files: ['dist'],
  scripts: { start: 'node start.js' },
  exports: { './jobs': './src/jobs.ts' },
  dependencies: { fastify: '^5.0.0', '@aws-sdk/client-sqs': '^3.1.0' },
  publishConfig: { description: 'Its jobs.', exports: { './jobs': './dist/jobs.js' }, engines: { node: '>=22' } }
}

test('packedManifest() leaves out what only the service needs, and makes what is imported an optional peer', () => {
  assert.deepEqual(packedManifest(REPOSITORY, ['@aws-sdk/client-sqs']), {
    name: 'a-service',
    version: '1.2.3',
    description: 'Its jobs.',
    license: 'MIT',
    type: 'module',
    files: ['dist'],
    exports: { './jobs': './dist/jobs.js' },
    engines: { node: '>=22' },
    peerDependencies: { '@aws-sdk/client-sqs': '^3.1.0' },
    peerDependenciesMeta: { '@aws-sdk/client-sqs': { optional: true } }
  })
})

test('packedManifest() refuses an import that the repository does not depend on', () => {
  assert.throws(() => packedManifest(REPOSITORY, ['left-pad']), /import "left-pad", which is no dependency/)
})

test('importedPackages() finds each form of import, in code alone', () => {
  const code = `import { a } from '@scope/name/deep/er';
import b, {
  c
} from "plain/deep";
import 'effect';
export * from './own.js';
import { d } from 'node:fs';
const e = await import('later');
// It is read from 'the disk' at once.
const f = "taken from 'somewhere' else";
`
  assert.deepEqual(importedPackages(code).toSorted(), ['@scope/name', 'effect', 'later', 'plain'])
})
