/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { deliveredBill, installedPackages, readBill, type Bill, type ModelManifest, type PackageLock } from './bill.ts'

// Writes the bill of materials of what is delivered. Of the Node.js and the libraries in an image, the image's own scanner tells.
const ROOT = join(import.meta.dirname, '../..')
const FILE = 'sbom.cdx.json'
/** What the bundler takes into the files, of all that the playground is built with. */
const BUNDLED = new Set(['preact', '@preact/signals'])

const run = promisify(execFile)

async function npmBill(): Promise<Bill> {
  const { stdout } = await run('npm', ['sbom', '--sbom-format', 'cyclonedx'], { cwd: ROOT, maxBuffer: 1 << 26 })
  return readBill(stdout)
}

async function readJson(path: string) {
  return JSON.parse(await readFile(join(ROOT, path), 'utf8'))
}

const lock: PackageLock = await readJson('package-lock.json')
const model: ModelManifest = await readJson('models/manifest.json')
const bill = deliveredBill(await npmBill(), installedPackages(lock), BUNDLED, model)
const path = process.argv[2] ?? join(ROOT, FILE)
await writeFile(path, `${JSON.stringify(bill, undefined, 2)}\n`)
process.stdout.write(`${path}: ${bill.components.length} components, CycloneDX ${bill.specVersion}\n`)
