/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ClientProgram } from './page.ts'

/** Address of the service on the page. */
export const SHOWN_HOST = '127.0.0.1:8080'
/** The text whose embedding each program has in `vector`. */
const SENTENCE = 'hello world'
const TIME_LIMIT_MS = 120_000
/** Each program ends with this line of ours. */
const TELL_VECTOR = {
  python: 'import json; print("vector", json.dumps([float(number) for number in vector]))',
  js: "console.log('vector', JSON.stringify(Array.from(vector)))"
} as const
/** Keeps programs from contacting their makers' servers at the start: without internet they would hang. */
const QUIET = {
  ANONYMIZED_TELEMETRY: 'False',
  HAYSTACK_TELEMETRY_ENABLED: 'False',
  LITELLM_LOCAL_MODEL_COST_MAP: 'True'
} as const

/** What runs a program. */
export interface Interpreter {
  /** Folder of the program and of the packages that it imports. */
  readonly folder: string
  /** Python or Node.js. */
  readonly interpreter: string
}

/** Environment of a program, and the service that it calls. */
export interface ClientSetting extends Interpreter {
  /** Of the service, such as `http://127.0.0.1:8080`. */
  readonly origin: string
  readonly apiKey: string
}

/**
 * Runs a program of the page as it stands, but for the address.
 * @throws Error when it fails, prints something else than the page says, or has another vector than `/v1/encode` gives
 */
export async function runProgram(program: ClientProgram, setting: ClientSetting): Promise<void> {
  const { origin, apiKey } = setting
  const language = program.language === 'js' ? 'js' : 'python'
  const text = `${program.text.replaceAll(SHOWN_HOST, new URL(origin).host)}${TELL_VECTOR[language]}\n`
  const stdout = await outputOf({ ...program, text }, setting, { API_KEY: apiKey })
  const at = stdout.lastIndexOf('vector ')
  comparePrinted(stdout.slice(0, Math.max(at, 0)), program)
  const found = Float32Array.from(JSON.parse(stdout.slice(at + 'vector '.length)))
  const wanted = await encoded(origin, apiKey)
  const differing = wanted.findIndex((number, index) => !Object.is(number, found[index]))
  if (found.length !== wanted.length || differing >= 0) {
    throw new Error(`its vector has ${found.length} numbers, of which number ${differing} is not that of /v1/encode`)
  }
}

/** Runs the text of a program. @returns what it printed */
export async function outputOf(
  { language, text }: Pick<ClientProgram, 'language' | 'text'>,
  { folder, interpreter }: Interpreter,
  env: Readonly<Record<string, string>>
): Promise<string> {
  const path = join(folder, language === 'js' ? 'program.mjs' : 'program.py')
  await writeFile(path, text)
  const options = {
    cwd: folder,
    env: { ...process.env, ...QUIET, ...env },
    timeout: TIME_LIMIT_MS,
    maxBuffer: 16 * 1024 * 1024
  }
  const { stdout } = await promisify(execFile)(interpreter, [path], options)
  return stdout
}

/** @throws Error when it is not what the program's comments say */
export function comparePrinted(printed: string, program: Pick<ClientProgram, 'printed'>): void {
  if (printed !== program.printed) throw new Error(`it printed\n${printed}instead of\n${program.printed}`)
}

async function encoded(origin: string, apiKey: string): Promise<Float32Array> {
  const url = `${origin}/v1/encode?query=${encodeURIComponent(SENTENCE)}`
  const reply = await fetch(url, { headers: { authorization: `Bearer ${apiKey}` } })
  const { encoding }: { encoding: number[] } = JSON.parse(await reply.text())
  return Float32Array.from(encoding)
}
