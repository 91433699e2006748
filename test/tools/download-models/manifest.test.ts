/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { readManifest } from '../../../tools/download-models/manifest.ts'
import { MANIFEST, temporaryFolder } from './setup.ts'

test('models/manifest.json is a manifest, with the published hashes of the weights and the tokenizer', async () => {
  const manifest = await readManifest(join(import.meta.dirname, '../../../models/manifest.json'))
  const sha256Of = Object.fromEntries(manifest.files.map((file) => [file.path, file.sha256]))
  assert.equal(sha256Of['model.safetensors'], '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db')
  assert.equal(sha256Of['tokenizer.json'], 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037')
})

test('readManifest() refuses a file path that leads out of the folder, and names the field', async (t) => {
  const path = join(await temporaryFolder(t), 'manifest.json')
  for (const filePath of ['../config.json', '/etc/passwd', 'a/../../b', 'a//b', String.raw`a\b`, '.lock', '']) {
    const files = [{ ...MANIFEST.files[0], path: filePath }]
    await writeFile(path, JSON.stringify({ ...MANIFEST, files }))
    await assert.rejects(
      readManifest(path),
      /Cannot read the model manifest .*manifest\.json: \/files\/0\/path /,
      filePath
    )
  }
  await writeFile(path, JSON.stringify(MANIFEST))
  assert.deepEqual(await readManifest(path), MANIFEST)
})
