/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ZipFile } from 'yazl'

/** Beanstalk takes no larger source bundle. */
export const MAX_BUNDLE_BYTES = 500 * 1024 * 1024

/** Says which image Beanstalk runs. */
const DOCKERRUN = 'Dockerrun.aws.json'
/** Hooks are programs. */
const PROGRAM = /^\.platform\/(?:conf)?hooks\//
const IMAGE = /^[a-z0-9][a-z0-9._-]*(?::\d+)?(?:\/[a-z0-9][a-z0-9._-]*)+(?::[\w.-]{1,128})?@sha256:[0-9a-f]{64}$/

/** A bundle that cannot be made; the message says why. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
}

/**
 * Makes the source bundle for Elastic Beanstalk's Docker platform: the files of a folder, and in `Dockerrun.aws.json` the
 * image. The same files and image give the same bytes, whenever and wherever: names are sorted, times and modes are fixed,
 * and nothing is compressed, since compressors differ.
 *
 * @param folder its files stand at the top of the bundle, dotted folders included
 * @param image the image by its digest, as `registry/name@sha256:…`
 * @throws {BundleError} when the image is not named by its digest, or the bundle is too large for Beanstalk
 */
export async function makeBundle(folder: string, image: string | undefined): Promise<Buffer> {
  if (image === undefined || image === '') {
    throw new BundleError('Cannot make the bundle: IMAGE is not set, want registry/name@sha256:…')
  }
  if (!IMAGE.test(image)) {
    throw new BundleError('Cannot make the bundle: IMAGE does not end in a digest, want registry/name@sha256:…')
  }
  const zip = new ZipFile()
  for (const name of await fileNames(folder)) {
    const content = await readFile(join(folder, name))
    zip.addBuffer(name === DOCKERRUN ? withImage(content, image) : content, name, {
      // In the time zone of this machine, as zip files keep times: the same bytes in all of them.
      mtime: new Date(1980, 0, 1),
      forceDosTimestamp: true,
      mode: PROGRAM.test(name) ? 0o100755 : 0o100644,
      compress: false
    })
  }
  zip.end()
  const bundle = await buffer(zip.outputStream)
  if (bundle.length > MAX_BUNDLE_BYTES) {
    throw new BundleError(`Cannot make the bundle: it has ${bundle.length} bytes, Beanstalk takes ${MAX_BUNDLE_BYTES}`)
  }
  return bundle
}

/** Files below a folder, by the order of their characters, with slashes. */
async function fileNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length).replaceAll('\\', '/'))
    .toSorted((a, b) => (a < b ? -1 : 1))
}

function withImage(template: Buffer, image: string): Buffer {
  const dockerrun: { Image: object } = JSON.parse(template.toString())
  return Buffer.from(`${JSON.stringify({ ...dockerrun, Image: { ...dockerrun.Image, Name: image } }, null, 2)}\n`)
}
