/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** A streamed request whose connection is idle for this long, in both directions, is closed. */
const IDLE_MS = 60_000

const streamedSockets = new WeakSet<Socket>()

/**
 * Exempts a streamed request from the time limit of requests, since it is read only as fast as it is answered, and its
 * duration depends on its length. It must not be idle for too long.
 */
export function streamRequest({ raw }: FastifyRequest): void {
  const { socket } = raw
  // A request from an event has no connection; it has arrived as a whole.
  if (!(socket instanceof Socket)) return
  const destroy = (): void => void socket.destroy()
  streamedSockets.add(socket)
  // The server's timeout, which is restored for the next request on the connection.
  const timeoutMs = socket.timeout ?? 0
  socket.setTimeout(IDLE_MS, destroy)
  raw.once('close', () => {
    streamedSockets.delete(socket)
    socket.removeListener('timeout', destroy)
    socket.setTimeout(timeoutMs)
  })
}

/** Whether an error is Node.js's timeout of a streamed request, which is to be ignored. */
export function isSlowStream(error: Error, socket: Socket): boolean {
  return 'code' in error && error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && streamedSockets.has(socket)
}
