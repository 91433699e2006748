/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { once } from 'node:events'
import type { Server } from 'node:http'
import { giveUp } from './open-process.ts'

/** Where to listen. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Listens. What keeps a server from it, such as a port in use, is one plain line on standard error.
 * @returns whether it listens
 */
export async function listen(address: Address, bind: (address: Address) => Promise<unknown>): Promise<boolean> {
  try {
    await bind(address)
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const reason = code === 'EADDRINUSE' ? 'the port is in use' : code
    giveUp(`Cannot listen on ${address.host} port ${address.port}: ${reason}`)
    return false
  }
}

/** Listens with a server of Node.js, as {@link listen}. */
export async function listenWith(server: Server, address: Address): Promise<boolean> {
  return listen(address, async ({ host, port }) => {
    server.listen(port, host)
    await once(server, 'listening')
  })
}

/** Stops a server and ends its connections, whatever they wait for. */
export function closeServer(server: Server): void {
  server.close()
  server.closeAllConnections()
}
