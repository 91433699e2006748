/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The model as published, which every peer serves. */
export const SOURCE_MODEL = join(import.meta.dirname, '../../../models/all-MiniLM-L6-v2/source')

/** Where peers are installed; git-ignored. */
const PEERS_FOLDER = join(import.meta.dirname, '../../../.cache/bench/peers')

export const FLASK_FOLDER = join(PEERS_FOLDER, 'flask')
export const SCIKIT_LEARN_FOLDER = join(PEERS_FOLDER, 'scikit-learn')
export const INFINITY_FOLDER = join(PEERS_FOLDER, 'infinity')
export const TRANSFORMERS_JS_FOLDER = join(PEERS_FOLDER, 'transformers-js')

/** Name of the peers' copy of the model: ONNX files in `onnx`, tokenizer and config beside it, as on the hub. */
export const ONNX_MODEL_NAME = 'all-MiniLM-L6-v2'
export const ONNX_MODELS_FOLDER = join(PEERS_FOLDER, 'onnx-models')

/** Exact versions, so that a run can be repeated. */
const TRANSFORMERS_JS_PACKAGES = { '@huggingface/transformers': '4.3.1', fastify: '5.12.8' }

const STAMP_FILE = '.installed'

/** Flask, gunicorn and sentence-transformers, into a virtual environment. */
export async function installFlask(): Promise<void> {
  await installOnce(FLASK_FOLDER, [await readFile(beside('flask-requirements.txt'), 'utf8')], async () => {
    await createPythonEnvironment(FLASK_FOLDER, beside('flask-requirements.txt'))
  })
}

/** scikit-learn, into a virtual environment. */
export async function installScikitLearn(): Promise<void> {
  const requirements = beside('scikit-learn-requirements.txt')
  await installOnce(SCIKIT_LEARN_FOLDER, [await readFile(requirements, 'utf8')], async () => {
    await createPythonEnvironment(SCIKIT_LEARN_FOLDER, requirements)
  })
}

/** infinity-emb with its ONNX engine, into a virtual environment, and the model as ONNX. */
export async function installInfinity(): Promise<void> {
  await installOnce(INFINITY_FOLDER, [await readFile(beside('infinity-requirements.txt'), 'utf8')], async () => {
    await createPythonEnvironment(INFINITY_FOLDER, beside('infinity-requirements.txt'))
  })
  await exportModel()
}

/** Fastify and transformers.js, and the model as ONNX. */
export async function installTransformersJs(): Promise<void> {
  // The exporter is one of infinity's packages.
  await installInfinity()
  const server = beside('transformers-js-server.mjs')
  const packageJson = JSON.stringify({ private: true, type: 'module', dependencies: TRANSFORMERS_JS_PACKAGES })
  await installOnce(TRANSFORMERS_JS_FOLDER, [packageJson, await readFile(server, 'utf8')], async () => {
    await writeFile(join(TRANSFORMERS_JS_FOLDER, 'package.json'), packageJson)
    await copyFile(server, join(TRANSFORMERS_JS_FOLDER, 'server.mjs'))
    // The install script of onnxruntime-node would download files that only GPUs need.
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: TRANSFORMERS_JS_FOLDER
    })
  })
}

async function exportModel(): Promise<void> {
  const target = join(ONNX_MODELS_FOLDER, ONNX_MODEL_NAME)
  const script = beside('export_onnx.py')
  await installOnce(ONNX_MODELS_FOLDER, [await readFile(script, 'utf8')], async () => {
    await run(join(INFINITY_FOLDER, 'bin/python'), [script, SOURCE_MODEL, `${target}.part`])
    await rename(`${target}.part`, target)
  })
}

/** Fills a folder unless it was filled from the same inputs before. An incomplete folder is filled from the start. */
async function installOnce(folder: string, inputs: readonly string[], fill: () => Promise<void>): Promise<void> {
  const wanted = createHash('sha256').update(JSON.stringify(inputs)).digest('hex')
  const stamp = join(folder, STAMP_FILE)
  const found = await readFile(stamp, 'utf8').catch(() => undefined)
  if (found === wanted) return
  process.stderr.write(`bench: installing ${folder}\n`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await fill()
  await writeFile(stamp, wanted)
}

async function createPythonEnvironment(folder: string, requirements: string): Promise<void> {
  await run('python3', ['-m', 'venv', folder])
  await run(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', requirements])
}

async function run(command: string, args: readonly string[], options: { readonly cwd?: string } = {}): Promise<void> {
  const child = spawn(command, args, {
    ...options,
    // Messages go to standard error: standard output is for results.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, HF_HUB_OFFLINE: '1' }
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${String(code)}`)
}

function beside(name: string): string {
  return join(import.meta.dirname, name)
}
