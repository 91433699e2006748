/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { readBill } from '../../../tools/sbom/bill.ts'
import { temporaryFolder } from '../../server/mentor-app.ts'

const ROOT = join(import.meta.dirname, '../../..')

test('npm run sbom lists what is delivered: every dependency, what the playground bundles, and the model', async (t) => {
  const path = join(await temporaryFolder(t), 'sbom.cdx.json')
  await promisify(execFile)(process.execPath, ['tools/sbom/main.ts', path], { cwd: ROOT })
  const text = await readFile(path, 'utf8')
  const { components, metadata, dependencies } = readBill(text)
  assert.equal(metadata.component.name, 'sbert-service')
  const names = new Set(components.map(({ name }) => name))
  const packages: { dependencies: Record<string, string> } = JSON.parse(
    await readFile(join(ROOT, 'package.json'), 'utf8')
  )
  for (const name of Object.keys(packages.dependencies)) assert.ok(names.has(name), name)
  for (const name of ['preact', '@preact/signals', '@preact/signals-core', 'all-MiniLM-L6-v2']) {
    assert.ok(names.has(name), name)
  }
  // What a tool for development needs as well is delivered all the same.
  for (const name of ['@aws-sdk/core', 'semver']) assert.ok(names.has(name), name)
  for (const name of ['typescript', 'esbuild', 'knip', '@local/web', '@local/node']) assert.ok(!names.has(name), name)
  const refs = components.map((component) => component['bom-ref'])
  assert.equal(new Set(refs).size, refs.length, 'nothing is listed twice')
  const known = new Set([...refs, metadata.component['bom-ref']])
  for (const { ref } of dependencies) assert.ok(known.has(ref), ref)
  const manifest: { files: { path: string; sha256: string }[] } = JSON.parse(
    await readFile(join(ROOT, 'models/manifest.json'), 'utf8')
  )
  assert.ok(
    text.includes(manifest.files.find(({ path: file }) => file === 'model.safetensors')?.sha256 ?? 'no such file')
  )
})

test('the playground bundles no package that the bill does not list', async () => {
  const web: { devDependencies: Record<string, string> } = JSON.parse(
    await readFile(join(ROOT, 'web/package.json'), 'utf8')
  )
  // The bundler itself is not in what it writes.
  assert.deepEqual(Object.keys(web.devDependencies).toSorted(), ['@preact/signals', 'esbuild', 'preact'])
})
