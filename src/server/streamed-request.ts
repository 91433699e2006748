/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** A stream in which nothing moves for so long, in either direction, is broken off. */
const IDLE_MS = 60_000

const streamedSockets = new WeakSet<Socket>()

/**
 * Lets a request take longer to arrive than others may, since no more of it is read than has been answered: how long that
 * takes as a whole is a matter of its length. It must not stand still.
 */
export function streamRequest({ raw }: FastifyRequest): void {
  const { socket } = raw
  // The request of an event has no connection: it is there as a whole.
  if (!(socket instanceof Socket)) return
  const destroy = (): void => void socket.destroy()
  streamedSockets.add(socket)
  // The server's own time-out, which holds for whatever comes next on the connection.
  const timeoutMs = socket.timeout ?? 0
  socket.setTimeout(IDLE_MS, destroy)
  raw.once('close', () => {
    streamedSockets.delete(socket)
    socket.removeListener('timeout', destroy)
    socket.setTimeout(timeoutMs)
  })
}

/** Whether Node.js gives a request up as too slow that is streamed and may be. */
export function isSlowStream(error: Error, socket: Socket): boolean {
  return 'code' in error && error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && streamedSockets.has(socket)
}
