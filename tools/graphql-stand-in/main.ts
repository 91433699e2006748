/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { openTerminal } from '../../src/app/terminal.ts'
import type { Mentor } from '../../src/mentor/mentor.ts'
import { withTrainingData } from '../../src/mentor/sheet-merge.ts'
import { readTrainingData } from '../../src/mentor/training-data.ts'
import { terminalLine } from '../../src/server/terminal-log.ts'
import { FAULTS, GraphQlStandIn } from './stand-in.ts'

const HELP = `Usage: npm run graphql-stand-in [-- --port <port>] [--with-service]

A small GraphQL service with the mentors of examples/, in memory, which fails when it is told to.

  --port <port>    where to listen on 127.0.0.1; by default any free port
  --with-service   start the service beside it, as \`make start MENTOR_SOURCE=graphql\` does; all its settings count
`

const ROOT = join(import.meta.dirname, '../..')
const SECRET_HEADER_NAME = 'x-stand-in-secret'

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    port: { type: 'string', default: '0' },
    'with-service': { type: 'boolean', default: false }
  }
})
if (values.help) process.stdout.write(HELP)
else await run(Number(values.port), values['with-service'])

async function run(port: number, withService: boolean): Promise<void> {
  const secretHeader = { name: SECRET_HEADER_NAME, value: randomBytes(24).toString('base64url') }
  const standIn = new GraphQlStandIn({ mentors: await exampleMentors(), ...(withService && { secretHeader }) })
  await standIn.listen(port)
  process.stderr.write(`GraphQL stand-in with the mentors noor and diego: ${standIn.endpoint}\n`)
  if (withService) startService(standIn, secretHeader.value)
  else process.stderr.write(`\n${controlHint(standIn)}\n`)
}

async function exampleMentors(): Promise<Record<string, Mentor>> {
  const csv = await readFile(join(ROOT, 'examples/mentor.csv'), 'utf8')
  const diego: Mentor = JSON.parse(await readFile(join(ROOT, 'examples/video-mentor.json'), 'utf8'))
  return { noor: { name: 'Noor', ...withTrainingData(undefined, readTrainingData(csv).rows) }, diego }
}

/** Starts the service; both end together. */
function startService(standIn: GraphQlStandIn, secret: string): void {
  const given = process.env
  const key = given['API_SECRET_KEY'] || randomBytes(24).toString('base64url')
  const child = spawn(process.execPath, [join(ROOT, 'src/bin/service.ts')], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...given,
      MENTOR_SOURCE: 'graphql',
      GRAPHQL_ENDPOINT: standIn.endpoint,
      SECRET_HEADER_NAME,
      SECRET_HEADER_VALUE: secret,
      API_SECRET_KEY: key,
      // Read below, and shown as `LOG_FORMAT` wants it.
      LOG_FORMAT: 'json',
      // Models of these mentors stay apart from those of mentors that are kept here.
      DATA_DIR: given['DATA_DIR'] || 'data/graphql-stand-in'
    }
  })
  const format = (['pretty', 'json'] as const).find((name) => name === given['LOG_FORMAT']) ?? 'auto'
  const terminal = openTerminal(format, process.stdout, given)
  let origin = ''
  createInterface(child.stdout).on('line', (line) => {
    process.stdout.write(terminal === undefined ? `${line}\n` : terminalLine(line, terminal.hasColors))
    const { msg, address }: { msg?: string; address?: string } = line.startsWith('{') ? JSON.parse(line) : {}
    if (msg === 'listening' && address !== undefined) origin = address
    if (msg === 'ready')
      process.stderr.write(`\n${serviceHint(origin, key.split(',')[0] ?? '')}\n${controlHint(standIn)}\n`)
  })
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
    void standIn.close()
  })
  // The service takes its time to stop; a signal from the keyboard reaches it by itself.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
}

function serviceHint(origin: string, key: string): string {
  return `Mentors come from GraphQL. Train one, then ask it:

  URL=${origin}; AUTH='Authorization: Bearer ${key}'
  curl -s -H "$AUTH" -H 'Content-Type: application/json' -d '{"mentor":"noor"}' $URL/train
  curl -s -G -H "$AUTH" $URL/questions -d mentor=noor --data-urlencode 'query=Which town do you call home these days?'
`
}

function controlHint({ origin }: GraphQlStandIn): string {
  const faults = Object.entries(FAULTS).map(([name, what]) => `    ${name.padEnd(10)}  ${what}`)
  return `What the GraphQL service was told:

  curl -s ${origin}/stand-in

Grade a question, which then wins over all else; it is known within a minute, or after the next training:

  curl -s -X PUT -d '{"mentor":"noor","question":"Got a pet?","answer":"intro-home"}' ${origin}/stand-in/grade

Take an answer away, which is then missing until the next training:

  curl -s -X PUT -d '{"mentor":"noor","answer":"intro-home"}' ${origin}/stand-in/remove

Let it fail, for all operations or those with one \`field\`, for ever or \`times\`:

  curl -s -X PUT -d '{"fault":"hang","field":"userQuestionCreate","times":3}' ${origin}/stand-in/fault

${faults.join('\n')}
    none        works again
`
}
