/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buildPackage } from './build.ts'
import { packedManifest } from './manifest.ts'

/*
 * What npm runs before and after it packs:
 *   main.ts prepack    builds dist/, and puts the package's own manifest in the place of package.json, since npm packs that file alone
 *   main.ts postpack   puts the repository's package.json back. After a packing that was killed, `git checkout package.json` does so.
 */
const ROOT = join(import.meta.dirname, '../..')
const MANIFEST = join(ROOT, 'package.json')
const KEPT = join(ROOT, '.cache/package/package.json')

const [step] = process.argv.slice(2)
if (step === 'prepack') await prepack()
else if (step === 'postpack') await rename(KEPT, MANIFEST)
else throw new Error('usage: main.ts prepack | postpack')

async function prepack(): Promise<void> {
  const repository = JSON.parse(await readFile(MANIFEST, 'utf8'))
  const packed = packedManifest(repository, await buildPackage(ROOT))
  await mkdir(dirname(KEPT), { recursive: true })
  await rename(MANIFEST, KEPT)
  await writeFile(MANIFEST, `${JSON.stringify(packed, undefined, 2)}\n`)
}
