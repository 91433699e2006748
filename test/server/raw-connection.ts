/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection, and what the server has said on it. */
export interface Said {
  /** What the server has said so far. */
  text: string
  readonly socket: Socket
  readonly closed: Promise<unknown>
}

/** A connection that sends bytes and keeps what comes back. */
export function open({ port }: { readonly port: number }, bytes: string | Buffer): Said {
  const socket = connect(port, '127.0.0.1')
  const said: Said = { text: '', socket, closed: once(socket, 'close').catch(() => undefined) }
  socket.on('error', () => {
    // The server may end the connection before it has read everything.
  })
  socket.on('data', (chunk) => (said.text += chunk.toString()))
  socket.write(bytes)
  return said
}

/** The status of the first reply. */
export const statusOf = ({ text }: Said): number => Number(text.split(' ')[1])
/** The JSON of the first reply. */
export const bodyOf = ({ text }: Said): Record<string, unknown> => JSON.parse(text.split('\r\n\r\n')[1] ?? '')

/** The head of a request. */
export function head(method: string, path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ Host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}
