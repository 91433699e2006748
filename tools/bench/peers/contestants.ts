/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import packageJson from '../../../package.json' with { type: 'json' }
import {
  FLASK_FOLDER,
  INFINITY_FOLDER,
  installFlask,
  installInfinity,
  installTransformersJs,
  ONNX_MODEL_NAME,
  ONNX_MODELS_FOLDER,
  SOURCE_MODEL,
  TRANSFORMERS_JS_FOLDER
} from './install.ts'
import { kernelsOfThisMachine } from '../engine/open-encoder.ts'
import { ServerProcess, type ServerProgram } from './server-process.ts'
import type { RequestKind } from '../load/load-generator.ts'

/** A server to measure. */
export interface Contestant {
  readonly name: string
  /** As the report calls it. */
  readonly title: string
  /** What it runs with, for readers who want to judge whether that is fair. */
  readonly setup: string
  readonly requestKind: RequestKind
  readonly install: () => Promise<void>
  readonly program: (port: number) => ServerProgram
}

const DATA_FOLDER = join(import.meta.dirname, '../../../.cache/bench/data')

/** The key that our server is started with. */
export const API_KEY = 'bench-key'

const nothingToInstall = async (): Promise<void> => {}

/**
 * Our server, as `npm start` starts it, on a free port and with a key that is known.
 * Its reply cache is on, as by default: no text comes twice.
 */
export function ourProgram(port: number, env: Readonly<Record<string, string>> = {}): ServerProgram {
  // What follows the check of the Node.js version; `exec` keeps the shell from staying as a process of its own.
  const command = packageJson.scripts.start.split(' && ').at(-1) ?? ''
  const name = ['ours', env['MODEL_PRECISION'], env['NATIVE_KERNEL'], env['LOG_LEVEL']]
    .filter((part) => part !== undefined)
    .join('-')
  // Separate data, so that its jobs do not mix with those of a service that is in use here.
  const dataFolder = join(DATA_FOLDER, name)
  rmSync(dataFolder, { recursive: true, force: true })
  return {
    name,
    command: 'sh',
    args: ['-c', `exec env ${command}`],
    env: {
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
      HOST: '127.0.0.1',
      PORT: String(port),
      API_SECRET_KEY: API_KEY,
      DATA_DIR: dataFolder,
      ...env
    },
    readyPath: '/health/ready'
  }
}

function transformersJs(name: string, title: string, dtype: string): Contestant {
  return {
    name,
    title,
    setup:
      dtype === ''
        ? 'Fastify 5 and transformers.js 4, main thread, its default dtype (fp32), onnxruntime with its default threads, one for each core'
        : `the same with \`dtype: '${dtype}'\``,
    requestKind: 'get',
    install: installTransformersJs,
    program: (port) => ({
      name,
      command: process.execPath,
      args: [join(TRANSFORMERS_JS_FOLDER, 'server.mjs')],
      env: { PORT: String(port), MODELS_PATH: ONNX_MODELS_FOLDER, MODEL_NAME: ONNX_MODEL_NAME, DTYPE: dtype },
      readyPath: '/v1/encode?query=ready'
    })
  }
}

function infinity(name: string, title: string, setup: string, args: readonly string[]): Contestant {
  const model = join(ONNX_MODELS_FOLDER, ONNX_MODEL_NAME)
  return {
    name,
    title,
    setup,
    requestKind: 'openai',
    install: installInfinity,
    program: (port) => ({
      name,
      command: join(INFINITY_FOLDER, 'bin/infinity_emb'),
      args: ['v2', '--model-id', model, '--engine', 'optimum', '--device', 'cpu', '--port', String(port), ...args],
      env: {
        INFINITY_HOST: '127.0.0.1',
        INFINITY_SERVED_MODEL_NAME: ONNX_MODEL_NAME,
        HF_HUB_OFFLINE: '1',
        DO_NOT_TRACK: '1'
      },
      readyPath: '/health'
    })
  }
}

/** Who is measured, in the order of each round. */
const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'ours-int8',
    title: 'ours, int8',
    setup:
      'as `npm start` starts it, all settings at their defaults, one bearer key; a thread that computes for each core, one line of log a request',
    requestKind: 'get',
    install: nothingToInstall,
    program: (port) => ourProgram(port)
  },
  {
    name: 'flask',
    title: '(a) Flask + gunicorn, sentence-transformers',
    setup:
      'gunicorn with 3 sync workers, each with a model of its own; PyTorch with one thread a worker (`OMP_NUM_THREADS=1`: with more, the workers slow one another down where there are few cores)',
    requestKind: 'get',
    install: installFlask,
    program: (port) => ({
      name: 'flask',
      command: join(FLASK_FOLDER, 'bin/gunicorn'),
      args: ['--workers', '3', '--bind', `127.0.0.1:${port}`, '--chdir', import.meta.dirname, 'flask_server:app'],
      env: { MODEL_PATH: SOURCE_MODEL, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' },
      readyPath: '/v1/encode?query=ready'
    })
  },
  transformersJs('transformers-js', '(b) Fastify + transformers.js, fp32', ''),
  transformersJs('transformers-js-q8', '(b) Fastify + transformers.js, q8', 'q8'),
  infinity(
    'infinity',
    '(c) infinity-emb, ONNX, quantised',
    '`infinity_emb v2 --engine optimum --device cpu`, all else at its defaults: it takes the quantised one of the two ONNX files of the model (dynamic int8) and lets onnxruntime optimise it; dynamic batches of up to 32, onnxruntime with its default threads, one for each core',
    []
  ),
  infinity(
    'infinity-fp32',
    '(c) infinity-emb, ONNX, fp32',
    'the same with `--onnx-do-not-prefer-quantized`: it takes the fp32 file',
    ['--onnx-do-not-prefer-quantized']
  ),
  {
    name: 'ours-fp32',
    title: '(d) ours, fp32',
    setup: 'as ours, with `MODEL_PRECISION=fp32`',
    requestKind: 'get',
    install: nothingToInstall,
    program: (port) => ourProgram(port, { MODEL_PRECISION: 'fp32' })
  }
]

/** Our server by a kernel that is not the fastest here: how it does on a CPU that has no better one. */
function oursBy(kernel: string): Contestant {
  return {
    name: `ours-${kernel}`,
    title: `ours, int8 by \`${kernel}\``,
    setup: `as ours, with \`NATIVE_KERNEL=${kernel}\``,
    requestKind: 'get',
    install: nothingToInstall,
    program: (port) => ourProgram(port, { NATIVE_KERNEL: kernel })
  }
}

/** A contestant, with its server or the reason why it has none. */
export interface Entrant {
  readonly contestant: Contestant
  readonly server?: ServerProcess
  readonly problem?: string
}

/** All contestants, and those whose servers run. Disposing it ends the servers. */
export interface Field extends AsyncDisposable {
  readonly all: readonly Entrant[]
  readonly started: readonly (Entrant & { readonly server: ServerProcess })[]
}

/**
 * Installs and starts contestants, one after the other. One that cannot be installed or started does not stop the
 * others from being measured.
 * @param names whom; everyone when not given
 */
export async function startContestants(names?: readonly string[]): Promise<Field> {
  const stack = new AsyncDisposableStack()
  const all: Entrant[] = []
  const lesserKernels = (await kernelsOfThisMachine()).slice(1)
  const contestants = [...CONTESTANTS, ...lesserKernels.map(oursBy)]
  for (const contestant of contestants.filter(({ name }) => names?.includes(name) ?? true)) {
    try {
      await contestant.install()
      all.push({ contestant, server: stack.use(await ServerProcess.start(contestant.program)) })
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      process.stderr.write(`bench: ${contestant.title}: ${problem}\n`)
      all.push({ contestant, problem })
    }
  }
  const started = all.flatMap((entrant) =>
    entrant.server === undefined ? [] : [{ ...entrant, server: entrant.server }]
  )
  return { all, started, [Symbol.asyncDispose]: async () => stack.disposeAsync() }
}
