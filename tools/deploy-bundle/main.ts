/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BundleError, bundledPaths, makeImageBundle, makeSourceBundle } from './bundle.ts'
import { readSources, type Sources } from './source-files.ts'

// usage: main.ts [<file>]   IMAGE=registry/name@sha256:… for the bundle of that image; BASE_IMAGE=… for a source bundle upon it
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const [target = 'deploy.zip'] = process.argv.slice(2)
const { IMAGE: image, BASE_IMAGE: baseImage } = process.env

try {
  const { bundle, holds } = image === undefined ? await sourceBundle() : await imageBundle(image)
  await writeFile(`${target}.part`, bundle)
  await rename(`${target}.part`, target)
  const hash = createHash('sha256').update(bundle).digest('hex')
  process.stdout.write(`${target}: ${holds}, ${bundle.length} bytes, SHA-256 ${hash}\n`)
} catch (error) {
  if (!(error instanceof BundleError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

async function imageBundle(name: string): Promise<{ bundle: Buffer; holds: string }> {
  if (baseImage !== undefined) {
    throw new BundleError('Cannot make the bundle: IMAGE is built already, so BASE_IMAGE has no meaning beside it')
  }
  return { bundle: await makeImageBundle(join(ROOT, 'ebs'), name), holds: 'runs the image' }
}

async function sourceBundle(): Promise<{ bundle: Buffer; holds: string }> {
  const sources = await readSources(ROOT)
  const bundle = await makeSourceBundle(sources.files, baseImage)
  process.stderr.write(`${originOf(sources)}\n`)
  return { bundle, holds: 'each instance builds the image' }
}

function originOf({ commit, files, uncommitted }: Sources): string {
  if (commit === undefined) return 'Made of the files of this folder, since git does not know it'
  const left = bundledPaths(files, uncommitted)
  if (left.length === 0) return `Made of commit ${commit}`
  const named = left.length > 5 ? `${left.slice(0, 5).join(', ')} and ${left.length - 5} more` : left.join(', ')
  return `Made of commit ${commit}, without what is not committed: ${named}`
}
