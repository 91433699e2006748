/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { BundleError, makeBundle } from './bundle.ts'

const FOLDER = fileURLToPath(new URL('../../ebs', import.meta.url))
const [target = 'deploy.zip'] = process.argv.slice(2)

try {
  const bundle = await makeBundle(FOLDER, process.env['IMAGE'])
  await writeFile(`${target}.part`, bundle)
  await rename(`${target}.part`, target)
  const hash = createHash('sha256').update(bundle).digest('hex')
  process.stdout.write(`${target}: ${bundle.length} bytes, SHA-256 ${hash}\n`)
} catch (error) {
  if (!(error instanceof BundleError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
