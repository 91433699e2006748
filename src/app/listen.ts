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

const FAILURES: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use'],
  ['EACCES', 'this user may not, as mostly with ports below 1024'],
  ['EADDRNOTAVAIL', 'this machine does not have the address'],
  ['EAFNOSUPPORT', 'this machine does not have IPv6'],
  ['ENOTFOUND', 'the name has no address'],
  ['EAI_AGAIN', 'the name has no address']
])

/**
 * Makes a server listen. When it cannot, for instance because the port is in use, writes the reason as one line to standard
 * error.
 * @returns whether it listens
 */
export async function listen(address: Address, bind: (address: Address) => Promise<unknown>): Promise<boolean> {
  try {
    await bind(address)
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const reason = FAILURES.get(code) ?? code
    giveUp(`Cannot listen on ${address.host} port ${address.port}: ${reason}`)
    return false
  }
}

/** Makes a server of Node.js listen, as {@link listen} does. */
export async function listenWith(server: Server, address: Address): Promise<boolean> {
  return listen(address, async ({ host, port }) => {
    server.listen(port, host)
    await once(server, 'listening')
  })
}

/** Closes a server and all its connections, even those with requests in progress. */
export function closeServer(server: Server): void {
  server.close()
  server.closeAllConnections()
}
