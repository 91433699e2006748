/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { INVOCATION_PATH, listenForInvocations } from './invocations.ts'
import { RuntimeApi } from './runtime-api.ts'

const FUNCTION = fileURLToPath(new URL('../../src/bin/lambda.ts', import.meta.url))

/** Starts the function that AWS Lambda would run, on a runtime interface of ours. Its log goes to standard error. */
export function startFunction(api: RuntimeApi, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [FUNCTION], {
    env: { ...env, AWS_LAMBDA_RUNTIME_API: api.address },
    stdio: ['ignore', 2, 2]
  })
}

/** Options of {@link takeInvocations}. */
export interface TakeOptions {
  readonly port: number
  /** @default this machine alone */
  readonly host?: string
  /** Environment of the function. */
  readonly env: NodeJS.ProcessEnv
  /** Called with the URL to which events are posted. */
  readonly onListening: (url: string) => void
}

/** Takes events by HTTP until the function ends, which it does with this process's own signals. @returns the exit status */
export async function takeInvocations({ port, host, env, onListening }: TakeOptions): Promise<number> {
  const api = await RuntimeApi.listen()
  const server = await listenForInvocations(api, port, host)
  const child = startFunction(api, env)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal))
  const address = server.address()
  if (address !== null && typeof address === 'object') {
    onListening(`http://127.0.0.1:${address.port}${INVOCATION_PATH}`)
  }
  const [code] = await once(child, 'exit')
  server.closeAllConnections()
  server.close()
  await api.close()
  return code === 0 ? 0 : 1
}
