/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Interpreter } from './run-program.ts'

const run = promisify(execFile)

/** Thrown when this machine lacks a prerequisite of a client; the message names it. */
export class MissingPrerequisite extends Error {
  override readonly name = 'MissingPrerequisite'
}

/** Python commands, the likeliest first. */
const PYTHONS = ['python3', 'python3.12', 'python3.11']

/** Installs packages from PyPI into a virtual environment in `folder`. */
export async function installPython(folder: string, packages: readonly string[]): Promise<Interpreter> {
  const interpreter = await virtualEnvironment(folder, 'python3')
  await pip(interpreter, packages)
  return { folder, interpreter }
}

/** Installs packages from npm into `folder`. */
export async function installJs(folder: string, packages: readonly string[]): Promise<Interpreter> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  process.stdout.write(`Installing ${packages.join(' ')}\n`)
  await run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...packages])
  return { folder, interpreter: process.execPath }
}

/**
 * Packages of Open WebUI that compute models on its own machine, or read pictures. It imports each when it is first
 * used. They and their dependencies, such as torch, take several gigabytes.
 */
const LOCAL_MODELS = new Set([
  'accelerate',
  'faster-whisper',
  'opencv-python-headless',
  'rapidocr',
  'sentence-transformers',
  'transformers'
])

/** Prints what the package in the first argument requires, a line each, without its extras. */
const LIST_REQUIREMENTS = `import importlib.metadata, sys
print(*(line for line in importlib.metadata.requires(sys.argv[1]) if "extra ==" not in line), sep="\\n")`

/**
 * Installs Open WebUI as {@link installPython}, but without {@link LOCAL_MODELS}.
 * @throws MissingPrerequisite where there is no Python that it runs under
 */
export async function installOpenWebUi(folder: string, requirement: string): Promise<Interpreter> {
  const python = await pythonOf(/^Python 3\.1[12]\./)
  if (python === undefined) throw new MissingPrerequisite('it needs Python 3.11 or 3.12, which is not on the PATH')
  const interpreter = await virtualEnvironment(folder, python)
  await pip(interpreter, ['--no-deps', requirement])
  const [name = ''] = requirement.split('=')
  const { stdout } = await run(interpreter, ['-c', LIST_REQUIREMENTS, name])
  const required = stdout.split('\n').filter((line) => line !== '' && !LOCAL_MODELS.has(nameOf(line)))
  const list = join(folder, 'requirements.txt')
  await writeFile(list, required.join('\n'))
  await pip(interpreter, ['--requirement', list])
  return { folder, interpreter }
}

/** `httpx[cli]==0.28.1` gives `httpx`. */
function nameOf(requirement: string): string {
  return /^[\w.-]+/.exec(requirement)?.[0].toLowerCase() ?? ''
}

/**
 * Installs n8n as {@link installJs}, unless it is there, and builds the one addon without which it does not start: SQLite. The addon is
 * fetched ready-made where that can be reached, else compiled.
 * @throws MissingPrerequisite where neither can be done
 */
export async function installN8n(folder: string, requirement: string): Promise<Interpreter> {
  const [name = '', version] = requirement.split('@')
  const manifest = join(folder, 'node_modules', name, 'package.json')
  const installed = existsSync(manifest) ? JSON.parse(await readFile(manifest, 'utf8')).version : undefined
  if (installed !== version) await installJs(folder, [requirement])
  if (!existsSync(join(folder, 'node_modules/sqlite3/build/Release/node_sqlite3.node'))) {
    process.stdout.write('Installing the SQLite of n8n\n')
    // The npm package of Node.js has its headers; node-gyp would fetch them.
    const nodeFolder = join(dirname(process.execPath), '..')
    const headers = existsSync(join(nodeFolder, 'include/node/node_api.h')) ? [`--nodedir=${nodeFolder}`] : []
    try {
      await run('npm', ['rebuild', 'sqlite3', '--prefix', folder, ...headers], { maxBuffer: 64 * 1024 * 1024 })
    } catch (error) {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr).slice(-2000) : String(error)
      throw new MissingPrerequisite(`its SQLite could neither be fetched nor compiled:\n${said}`, { cause: error })
    }
  }
  return { folder, interpreter: process.execPath }
}

async function pythonOf(version: RegExp): Promise<string | undefined> {
  for (const python of PYTHONS) {
    const said = await run(python, ['--version']).catch(() => ({ stdout: '' }))
    if (version.test(said.stdout)) return python
  }
  return undefined
}

async function virtualEnvironment(folder: string, python: string): Promise<string> {
  const interpreter = join(folder, 'bin/python')
  await mkdir(dirname(folder), { recursive: true })
  if (!existsSync(interpreter)) await run(python, ['-m', 'venv', folder])
  return interpreter
}

async function pip(interpreter: string, args: readonly string[]): Promise<void> {
  process.stdout.write(`Installing ${args.join(' ')}\n`)
  await run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...args])
}
