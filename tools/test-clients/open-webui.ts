/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ClientProgram } from './page.ts'
import { comparePrinted, outputOf, SHOWN_HOST, type ClientSetting } from './run-program.ts'

/** Address of Open WebUI on the page. */
const SHOWN_WEB_HOST = '127.0.0.1:8081'
const START_LIMIT_MS = 180_000
const ASK_AGAIN_MS = 500
/** Open WebUI without login, which sends requests to the service only. */
const ALONE = {
  WEBUI_AUTH: 'False',
  WEBUI_SECRET_KEY: 'secret of a test',
  OFFLINE_MODE: 'True',
  HF_HUB_OFFLINE: '1',
  ANONYMIZED_TELEMETRY: 'False',
  DO_NOT_TRACK: '1',
  SCARF_NO_ANALYTICS: 'true',
  ENABLE_OLLAMA_API: 'False',
  ENABLE_OPENAI_API: 'False'
} as const

/**
 * Starts Open WebUI with the page's settings over an empty folder, and runs the page's program against it.
 * @throws Error when it does not start, or the program fails or prints something else than the page says
 */
export async function runOpenWebUi(program: ClientProgram, setting: ClientSetting): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'open-webui-'))
  const log = join(folder, 'log')
  const host = `127.0.0.1:${await freePort()}`
  const env = { ...process.env, ...settingsFor(program, setting), ...ALONE, DATA_DIR: folder }
  const command = join(setting.folder, 'bin/open-webui')
  await using output = await open(log, 'w')
  const child = spawn(command, ['serve', '--host', '127.0.0.1', '--port', host.replace(/.*:/, '')], {
    cwd: folder,
    env,
    stdio: ['ignore', output.fd, output.fd]
  })
  const exited = once(child, 'close')
  try {
    await healthy(`http://${host}/health`, () => child.exitCode === null)
    const text = program.text.replaceAll(SHOWN_WEB_HOST, host)
    comparePrinted(await outputOf({ ...program, text }, setting, { OPEN_WEBUI_KEY: await signIn(host) }), program)
  } catch (error) {
    const last = (await readFile(log, 'utf8')).slice(-3000)
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${last}`, { cause: error })
  } finally {
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true })
  }
}

/** The page's settings, with the address and the key of the service. */
function settingsFor({ settings }: ClientProgram, { origin, apiKey }: ClientSetting): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      name.endsWith('_KEY') ? apiKey : value.replace(SHOWN_HOST, new URL(origin).host)
    ])
  )
}

/** @returns a token of the account that needs no password */
async function signIn(host: string): Promise<string> {
  const reply = await fetch(`http://${host}/api/v1/auths/signin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: '', password: '' })
  })
  const { token }: { token: string } = JSON.parse(await reply.text())
  return token
}

async function healthy(url: string, isRunning: () => boolean): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS
  while (isRunning() && performance.now() < deadline) {
    const reply = await fetch(url).catch(() => undefined)
    await reply?.body?.cancel()
    if (reply?.ok === true) return
    await pause(ASK_AGAIN_MS)
  }
  throw new Error(isRunning() ? 'it was not ready in time' : 'it ended before it was ready')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('a server on a port is wanted')
  return address.port
}
