/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startFunction, takeInvocations } from './function-process.ts'
import { RuntimeApi } from './runtime-api.ts'

const HELP = `Usage: npm run --silent invoke -- <event.json>...
       npm run --silent invoke -- --listen <port>

Starts the function that AWS Lambda would run (src/bin/lambda.ts), calls it through Lambda's runtime interface with one event
after the other, and prints the outcome of each as a line of JSON. Its log goes to standard error. Sample events are in
events/; they carry the key "local-key", which the function gets unless API_SECRET_KEY is set.

  --listen  takes events by HTTP until it is stopped, as AWS' emulator does: POST /2015-03-31/functions/function/invocations
`

/** With the key of the sample events, unless there is another. */
function withSampleKey(): NodeJS.ProcessEnv {
  return { API_SECRET_KEY: 'local-key', ...process.env }
}

async function invokeAll(files: readonly string[]): Promise<boolean> {
  const events = await Promise.all(
    files.map(async (file): Promise<unknown> => JSON.parse(await readFile(file, 'utf8')))
  )
  const api = await RuntimeApi.listen()
  const child = startFunction(api, withSampleKey())
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`The function ended with ${String(code)} before it had answered`)
  })
  let isOk = true
  try {
    for (const event of events) {
      const outcome = await Promise.race([api.invoke(event), api.initError, exited])
      process.stdout.write(`${JSON.stringify(outcome)}\n`)
      isOk &&= outcome.outcome === 'reply'
    }
  } finally {
    exited.catch(() => undefined)
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    await api.close()
  }
  return isOk
}

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean', short: 'h', default: false }, listen: { type: 'string' } },
  allowPositionals: true
})
if (!values.help && values.listen !== undefined && /^\d{1,5}$/.test(values.listen)) {
  process.exitCode = await takeInvocations({
    port: Number(values.listen),
    env: withSampleKey(),
    onListening: (url) => process.stdout.write(`curl -d @events/api-gateway-v2-encode.json ${url}\n`)
  })
} else if (values.help || positionals.length === 0) {
  process.stdout.write(HELP)
  process.exitCode = values.help ? 0 : 2
} else if (!(await invokeAll(positionals))) {
  process.exitCode = 1
}
