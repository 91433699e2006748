/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ZipFile } from 'yazl'
import { copiedPaths } from './copied-paths.ts'
import type { BundleFile } from './source-files.ts'

/** Beanstalk takes no larger source bundle. */
export const MAX_BUNDLE_BYTES = 500 * 1024 * 1024

/** Says which image Beanstalk runs. */
const DOCKERRUN = 'Dockerrun.aws.json'
/** Hooks are programs. */
const PROGRAM = /^\.platform\/(?:conf)?hooks\//
const IMAGE = /^[a-z0-9][a-z0-9._-]*(?::\d+)?(?:\/[a-z0-9][a-z0-9._-]*)+(?::[\w.-]{1,128})?@sha256:[0-9a-f]{64}$/

/** What an instance builds the image from, beside what the Dockerfile copies. */
const BUILD_FILES = new Set(['Dockerfile', '.dockerignore', 'LICENSE'])
/** For both kinds of bundle. With a Compose file Beanstalk starts no nginx, so its configuration stays out of a source bundle. */
const SHARED_FOLDER = 'ebs/'
const NOT_FOR_COMPOSE = /^(?:Dockerrun\.aws\.json$|\.platform\/nginx\/)/
/** For source bundles alone. */
const SOURCE_FOLDER = 'ebs-source/'
const BASE_IMAGE_DEFAULT = /^ARG BASE_IMAGE=.*$/m

/** A bundle that cannot be made; the message says why. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
}

/**
 * Makes the bundle of an image for Elastic Beanstalk's Docker platform: the files of a folder, and in `Dockerrun.aws.json` the
 * image. The same files and image give the same bytes.
 *
 * @param folder its files stand at the top of the bundle, dotted folders included
 * @param image the image by its digest, as `registry/name@sha256:…`
 * @throws {BundleError} when the image is not named by its digest, or the bundle is too large for Beanstalk
 */
export async function makeImageBundle(folder: string, image: string): Promise<Buffer> {
  checkDigest('IMAGE', image)
  const names = await fileNames(folder)
  const files = names.map(async (name) => {
    const content = await readFile(join(folder, name))
    return { name, content: name === DOCKERRUN ? withImage(content, image) : content }
  })
  return zip(await Promise.all(files))
}

/**
 * Makes the bundle that Elastic Beanstalk's Docker platform builds the image from, on the instance: what the Dockerfile copies,
 * and a Compose file. The same files and base image give the same bytes.
 *
 * @param sources files of the repository, by their paths in it; those that no build needs are left out
 * @param baseImage the base by its digest; without one, the Dockerfile's own, whose name may mean another image tomorrow
 * @throws {BundleError} when the base is not named by its digest, a file is missing, or the bundle is too large for Beanstalk
 */
export async function makeSourceBundle(sources: readonly BundleFile[], baseImage?: string): Promise<Buffer> {
  if (baseImage !== undefined) checkDigest('BASE_IMAGE', baseImage)
  const copied = copiedBy(sources)
  const missing = copied.find((path) => !sources.some(({ name }) => isWithin(name, path)))
  if (missing !== undefined) {
    throw new BundleError(`Cannot make the bundle: the Dockerfile copies ${missing}, which is missing`)
  }
  const files: BundleFile[] = []
  for (const { name, content } of sources) {
    const bundled = nameInBundle(name, copied)
    if (bundled === undefined) continue
    const isRebased = name === 'Dockerfile' && baseImage !== undefined
    files.push({ name: bundled, content: isRebased ? withBaseImage(content, baseImage) : content })
  }
  return zip(files)
}

/** Those of some paths whose files belong into the source bundle of `sources`. */
export function bundledPaths(sources: readonly BundleFile[], paths: readonly string[]): string[] {
  const copied = copiedBy(sources)
  return paths.filter((path) => nameInBundle(path, copied) !== undefined)
}

function copiedBy(sources: readonly BundleFile[]): string[] {
  const dockerfile = sources.find(({ name }) => name === 'Dockerfile')
  if (dockerfile === undefined) throw new BundleError('Cannot make the bundle: there is no Dockerfile')
  return copiedPaths(dockerfile.content.toString())
}

/** Where a file of the repository stands in a source bundle; nowhere if no build needs it. */
function nameInBundle(path: string, copied: readonly string[]): string | undefined {
  if (BUILD_FILES.has(path) || copied.some((parent) => isWithin(path, parent))) return path
  if (path.startsWith(SOURCE_FOLDER)) return path.slice(SOURCE_FOLDER.length)
  if (!path.startsWith(SHARED_FOLDER)) return undefined
  const shared = path.slice(SHARED_FOLDER.length)
  return NOT_FOR_COMPOSE.test(shared) ? undefined : shared
}

/**
 * A zip of files. The same files give the same bytes, whenever and wherever: names are sorted, times and modes are fixed, and
 * nothing is compressed, since compressors differ.
 */
async function zip(files: readonly BundleFile[]): Promise<Buffer> {
  const file = new ZipFile()
  for (const { name, content } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    file.addBuffer(content, name, {
      // In the time zone of this machine, as zip files keep times: the same bytes in all of them.
      mtime: new Date(1980, 0, 1),
      forceDosTimestamp: true,
      mode: PROGRAM.test(name) ? 0o100755 : 0o100644,
      compress: false
    })
  }
  file.end()
  const bundle = await buffer(file.outputStream)
  if (bundle.length > MAX_BUNDLE_BYTES) {
    throw new BundleError(`Cannot make the bundle: it has ${bundle.length} bytes, Beanstalk takes ${MAX_BUNDLE_BYTES}`)
  }
  return bundle
}

function isWithin(name: string, path: string): boolean {
  return name === path || name.startsWith(`${path}/`)
}

function checkDigest(variable: string, image: string): void {
  if (IMAGE.test(image)) return
  throw new BundleError(`Cannot make the bundle: ${variable} does not end in a digest, want registry/name@sha256:…`)
}

/** Files below a folder, with slashes. */
async function fileNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length).replaceAll('\\', '/'))
}

function withImage(template: Buffer, image: string): Buffer {
  const dockerrun: { Image: object } = JSON.parse(template.toString())
  return Buffer.from(`${JSON.stringify({ ...dockerrun, Image: { ...dockerrun.Image, Name: image } }, null, 2)}\n`)
}

function withBaseImage(dockerfile: Buffer, baseImage: string): Buffer {
  return Buffer.from(dockerfile.toString().replace(BASE_IMAGE_DEFAULT, `ARG BASE_IMAGE=${baseImage}`))
}
