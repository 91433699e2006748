/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { buildPackage } from './build.ts'
import { packedManifest } from './manifest.ts'

/*
 * What npm runs before and after it packs:
 *   main.ts prepack    builds dist/, and puts the package's own manifest in the place of package.json, since npm packs that file alone
 *   main.ts postpack   puts the repository's package.json back
 *   main.ts guard PID  does so, too, when npm, whose process this is, ends without postpack: when it was killed, say
 */
const ROOT = join(import.meta.dirname, '../..')
const MANIFEST = join(ROOT, 'package.json')
const KEPT = join(ROOT, '.cache/package/package.json')

const LOOK_AGAIN_MS = 100

const [step, npmId] = process.argv.slice(2)
if (step === 'prepack') await prepack()
else if (step === 'postpack') await rename(KEPT, MANIFEST)
else if (step === 'guard') await guard(Number(npmId))
else throw new Error('usage: main.ts prepack | postpack | guard PID')

async function prepack(): Promise<void> {
  // A packing before this one may have been killed together with its guard.
  if (existsSync(KEPT)) await rename(KEPT, MANIFEST)
  const repository = JSON.parse(await readFile(MANIFEST, 'utf8'))
  const packed = packedManifest(repository, await buildPackage(ROOT))
  await mkdir(dirname(KEPT), { recursive: true })
  const replacement = join(dirname(KEPT), 'packed.json')
  await writeFile(replacement, `${JSON.stringify(packed, undefined, 2)}\n`)
  await copyFile(MANIFEST, KEPT)
  // npm is the parent, since the script of package.json says `exec`.
  const guardian = spawn(process.execPath, [import.meta.filename, 'guard', String(process.ppid)], {
    detached: true,
    stdio: 'ignore'
  })
  guardian.unref()
  // In one step: there is no moment without a package.json.
  await rename(replacement, MANIFEST)
}

/** Waits until npm has ended, and puts back what it has left. */
async function guard(id: number): Promise<void> {
  while (existsSync(KEPT) && isRunning(id)) await pause(LOOK_AGAIN_MS)
  if (existsSync(KEPT)) await rename(KEPT, MANIFEST)
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch {
    return false
  }
}
