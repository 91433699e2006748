/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { ClientProgram } from './page.ts'
import { SHOWN_HOST, type ClientSetting } from './run-program.ts'

/** The files that the page's commands name. */
const EXAMPLES = join(import.meta.dirname, '../../examples/n8n')
/** The passage that the workflow must find. */
const PASSAGE = 'To fly planes you need a pilot licence.'
const TIME_LIMIT_MS = 300_000
/** n8n sends requests to the service only. */
const ALONE = {
  N8N_DIAGNOSTICS_ENABLED: 'false',
  N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
  N8N_TEMPLATES_ENABLED: 'false',
  N8N_ENCRYPTION_KEY: 'key of a test',
  DB_TYPE: 'sqlite'
} as const

/** The part of the output of `n8n execute` that is read here: the output of each node. */
const Execution = Type.Object({
  data: Type.Object({
    resultData: Type.Object({
      runData: Type.Object({
        Find: Type.Array(
          Type.Object({
            data: Type.Object({
              main: Type.Array(
                Type.Array(
                  Type.Object({ json: Type.Object({ document: Type.Object({ pageContent: Type.String() }) }) })
                )
              )
            })
          })
        )
      })
    })
  })
})

/**
 * Runs the page's commands in an empty folder with examples/n8n, whose credential is given the address and the key of the service.
 * @throws Error when a command fails, or the workflow finds something else than {@link PASSAGE}
 */
export async function runN8n(program: ClientProgram, { folder, origin, apiKey }: ClientSetting): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'n8n-'))
  try {
    // npx runs the packages that are installed in this folder.
    await symlink(join(folder, 'node_modules'), join(place, 'node_modules'))
    await cp(EXAMPLES, join(place, 'examples/n8n'), { recursive: true })
    const path = join(place, 'examples/n8n/credentials.json')
    const credentials: { data: { apiKey: string; url: string } }[] = JSON.parse(await readFile(path, 'utf8'))
    for (const { data } of credentials) {
      data.apiKey = apiKey
      data.url = data.url.replace(SHOWN_HOST, new URL(origin).host)
    }
    await writeFile(path, JSON.stringify(credentials))
    const env = { ...process.env, ...ALONE, N8N_USER_FOLDER: place }
    const options = { cwd: place, env, timeout: TIME_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 }
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', program.text], options)
    compareFound(stdout)
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout).slice(-3000) : ''
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error })
  } finally {
    await rm(place, { recursive: true })
  }
}

/**
 * @param stdout of all commands: the last printed an execution, as JSON
 * @throws Error when its node `Find` gave anything but the passage
 */
export function compareFound(stdout: string): void {
  const execution = Value.Parse(Execution, JSON.parse(stdout.slice(stdout.search(/^\{$/m))))
  const found = execution.data.resultData.runData.Find.flatMap(({ data }) => data.main.flat())
  const passages = found.map(({ json }) => json.document.pageContent)
  if (passages.length !== 1 || passages[0] !== PASSAGE) throw new Error(`it found ${JSON.stringify(passages)}`)
}
