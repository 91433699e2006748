/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { installJs, installN8n, installOpenWebUi, installPython, MissingPrerequisite } from './install.ts'
import { runN8n } from './n8n.ts'
import { runOpenWebUi } from './open-webui.ts'
import { programsOf, type ClientProgram } from './page.ts'
import { runProgram, type ClientSetting, type Interpreter } from './run-program.ts'
import { startService, type StartedService } from './start-service.ts'

/*
 * make test-clients: runs every program of docs/clients.md against the service, with packages from PyPI and npm in .cache/clients.
 *
 *     npm run test-clients -- n8n haystack    these clients alone
 */
const ROOT = join(import.meta.dirname, '../..')
const CACHE = join(ROOT, '.cache/clients')
/** Maximum delay of a log line. */
const LOG_LATE_MS = 1000

/** How a client is installed and run. */
interface Kind {
  readonly install: () => Promise<Interpreter>
  readonly run: (program: ClientProgram, setting: ClientSetting) => Promise<void>
}

const wanted = process.argv.slice(2).map((name) => name.toLowerCase())
const all = programsOf(await readFile(join(ROOT, 'docs/clients.md'), 'utf8'))
const programs = all.filter(
  ({ client }) => wanted.length === 0 || wanted.some((name) => client.toLowerCase().includes(name))
)
/** Clients that share an environment are installed once. */
const shared = new Map<string, Promise<Interpreter>>()
const counts = { passed: 0, failed: 0, skipped: 0 }
const service = await startService()
try {
  for (const program of programs) counts[await outcomeOf(program, service)] += 1
} finally {
  await service.stop()
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1

async function outcomeOf(program: ClientProgram, started: StartedService): Promise<keyof typeof counts> {
  const { client, packages } = program
  try {
    const { install, run } = kindOf(program)
    const interpreter = await install()
    const before = started.answeredCount()
    await run(program, { ...interpreter, ...started })
    await pause(LOG_LATE_MS)
    // Triton's client speaks another protocol than that of OpenAI.
    if (started.answeredCount() === before && !client.startsWith('Triton')) {
      throw new Error('it did not ask the service for embeddings')
    }
    process.stdout.write(`passed  ${client}: ${packages.join(' ')}\n`)
    return 'passed'
  } catch (error) {
    const isSkipped = error instanceof MissingPrerequisite
    process.stdout.write(
      `${isSkipped ? 'skipped' : 'FAILED '} ${client}\n${error instanceof Error ? error.message : String(error)}\n`
    )
    return isSkipped ? 'skipped' : 'failed'
  }
}

function kindOf({ language, packages, settings }: ClientProgram): Kind {
  const [first = ''] = packages
  if (language === 'sh') return { install: () => installN8n(join(CACHE, 'n8n'), first), run: runN8n }
  if (Object.keys(settings).length > 0) {
    return { install: () => installOpenWebUi(join(CACHE, 'open-webui'), first), run: runOpenWebUi }
  }
  const install = language === 'js' ? installJs : installPython
  return {
    install: async () => {
      const installed = shared.get(language) ?? install(join(CACHE, language), packagesFor(language))
      shared.set(language, installed)
      return installed
    },
    run: runProgram
  }
}

/** What the programs need that have no environment of their own. */
function packagesFor(language: ClientProgram['language']): string[] {
  const those = programs.filter((each) => each.language === language && Object.keys(each.settings).length === 0)
  return [...new Set(those.flatMap(({ packages }) => packages))]
}
