/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programsOf, type ClientProgram } from './page.ts'
import { runProgram } from './run-program.ts'
import { startService } from './start-service.ts'

// make test-clients: runs every program of docs/clients.md against the service, with packages from PyPI and npm in .cache/clients.
const ROOT = join(import.meta.dirname, '../..')
const CACHE = join(ROOT, '.cache/clients')
const run = promisify(execFile)

const programs = programsOf(await readFile(join(ROOT, 'docs/clients.md'), 'utf8'))
const places = { python: await installPython(packagesFor('python')), js: await installJs(packagesFor('js')) }
const service = await startService()
let failedCount = 0
try {
  for (const program of programs) failedCount += await passes(program)
} finally {
  await service.stop()
}
process.stdout.write(
  failedCount === 0 ? `All ${programs.length} clients work\n` : `${failedCount} of ${programs.length} clients failed\n`
)
process.exitCode = failedCount === 0 ? 0 : 1

function packagesFor(language: ClientProgram['language']): string[] {
  return [...new Set(programs.filter((program) => program.language === language).flatMap(({ packages }) => packages))]
}

/** @returns 0, or 1 when it failed */
async function passes(program: ClientProgram): Promise<number> {
  try {
    await runProgram(program, { ...places[program.language], ...service })
    process.stdout.write(`passed  ${program.client}: ${program.packages.join(' ')}\n`)
    return 0
  } catch (error) {
    process.stdout.write(`FAILED  ${program.client}\n${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

async function installPython(packages: readonly string[]) {
  const folder = join(CACHE, 'python')
  const interpreter = join(folder, 'bin/python')
  await mkdir(CACHE, { recursive: true })
  if (!existsSync(interpreter)) await run('python3', ['-m', 'venv', folder])
  process.stdout.write(`Installing ${packages.join(' ')}\n`)
  await run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages])
  return { folder, interpreter }
}

async function installJs(packages: readonly string[]) {
  const folder = join(CACHE, 'js')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  process.stdout.write(`Installing ${packages.join(' ')}\n`)
  await run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...packages])
  return { folder, interpreter: process.execPath }
}
