/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFileSync } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { commentStyleOf, hasHeader, headerOf, withHeader } from './header.ts'

// usage: main.ts [--add]   in a git checkout; without --add it only checks
const isAdding = process.argv.includes('--add')
const root = git(process.cwd(), 'rev-parse', '--show-toplevel').trim()
const licence = await readFile(join(root, 'LICENSE_HEADER'), 'utf8')

let sourceCount = 0
const lacking: string[] = []
for (const path of await sourceCandidates()) {
  const content = await readFile(join(root, path), 'utf8')
  const style = commentStyleOf(path, content)
  if (style === undefined) continue
  sourceCount += 1
  const header = headerOf(licence, style)
  if (hasHeader(content, header)) continue
  lacking.push(path)
  if (isAdding) await writeFile(join(root, path), withHeader(content, header))
}

if (lacking.length > 0) console.error(lacking.join('\n'))
if (isAdding) {
  console.error(`Licence header added to ${lacking.length} of ${sourceCount} source files`)
} else if (lacking.length > 0) {
  console.error(
    `The licence header is missing in ${lacking.length} of ${sourceCount} source files: run \`make license\``
  )
  process.exitCode = 1
} else {
  console.error(`All ${sourceCount} source files have the licence header`)
}

/** The files that git tracks, or would track: paths below the root. Deleted ones, links and submodules are left out. */
async function sourceCandidates(): Promise<string[]> {
  const listed = git(root, 'ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '-z').split('\0')
  const stats = await Promise.all(listed.map((path) => stat(join(root, path)).catch(() => undefined)))
  return listed.filter((_, index) => stats[index]?.isFile() === true)
}

function git(folder: string, ...options: string[]): string {
  return execFileSync('git', options, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 })
}
