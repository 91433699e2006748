/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config/settings.ts'
import { ServiceError } from '../errors.ts'

/** Limits of connections. */
export interface ConnectionLimits {
  /** Connections at a time; more are closed at once. As many requests may wait behind others of their connections, of all together. */
  readonly maxConnections: number
  /** Requests of one connection that are not answered, or whose replies were not taken. */
  readonly maxPipelinedRequests: number
  /** Bytes of replies that were made and not taken, of all connections; one may hold a quarter of it. */
  readonly maxUnreadBytes: number
  /** How long a reply may lie that is not taken any further. */
  readonly unreadTimeoutMs: number
}

/** Replies that are not counted one by one: those of most requests. */
const UNCOUNTED_BYTES = 16_384

interface Connection {
  requestCount: number
  unreadBytes: number
}

/**
 * Bounds what a connection can make the process hold: requests sent one behind the other without waiting, and replies that
 * nobody takes. Node.js parses all requests of a chunk at once, some 2,000 of the shortest, and only then stops reading:
 * a connection with too many is broken off, since each further answer would be one more thing to hold.
 */
export class ConnectionGuard {
  readonly #limits: ConnectionLimits
  readonly #connections = new WeakMap<Socket, Connection>()
  /** Those with replies that were not taken, the longest waiting first. */
  readonly #unread = new Set<Socket>()
  #unreadBytes = 0
  #pipelinedCount = 0
  #closedCount = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Bytes of counted replies that were made and not taken. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /** Connections that were broken off. */
  get closedCount(): number {
    return this.#closedCount
  }

  /** Watches a server's connections, from before it listens. */
  watch(server: Server): void {
    server.maxConnections = this.#limits.maxConnections
    server.timeout = this.#limits.unreadTimeoutMs
    server.on('connection', (socket: Socket) => {
      const connection = { requestCount: 0, unreadBytes: 0 }
      this.#connections.set(socket, connection)
      // Each request may wait for its connection's end.
      socket.setMaxListeners(this.#limits.maxPipelinedRequests + socket.getMaxListeners())
      socket.once('close', () => {
        this.#pipelinedCount -= Math.max(0, connection.requestCount - 1)
        this.#unreadBytes -= connection.unreadBytes
        this.#unread.delete(socket)
        this.#connections.delete(socket)
      })
    })
    // Comes when nothing moved for the time: while requests are worked on, that is no fault of the connection.
    server.on('timeout', (socket: Socket) => {
      const isWorkedOn = (this.#connections.get(socket)?.requestCount ?? 0) > 0
      if (!isWorkedOn) socket.destroy()
      else if (socket.writableLength > 0) this.#close(socket)
    })
  }

  /** Lets a request in. @returns false when its connection was broken off */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (socket.destroyed) return false
    const connection = this.#connections.get(socket)
    // The server is not watched, or the request came without a connection.
    if (connection === undefined) return true
    const isPipelined = connection.requestCount > 0
    const isFull =
      connection.requestCount >= this.#limits.maxPipelinedRequests ||
      (isPipelined && this.#pipelinedCount >= this.#limits.maxConnections)
    if (isFull) {
      this.#close(socket)
      return false
    }
    connection.requestCount += 1
    if (isPipelined) this.#pipelinedCount += 1
    response.once('close', () => {
      if (!this.#connections.has(socket)) return
      if (connection.requestCount > 1) this.#pipelinedCount -= 1
      connection.requestCount -= 1
    })
    return true
  }

  /**
   * Counts a reply from when it is made until it is taken.
   * @throws {ServiceError} OVERLOADED when its connection was broken off, as it holds too much already
   */
  hold(response: ServerResponse, byteCount: number): void {
    const { socket } = response.req
    const connection = this.#connections.get(socket)
    if (byteCount <= UNCOUNTED_BYTES || connection === undefined) return
    connection.unreadBytes += byteCount
    this.#unreadBytes += byteCount
    this.#unread.add(socket)
    response.once('close', () => {
      // Once its connection is broken off, all that it held is free.
      if (socket.destroyed || !this.#connections.has(socket)) return
      connection.unreadBytes -= byteCount
      this.#unreadBytes -= byteCount
      if (connection.unreadBytes === 0) this.#unread.delete(socket)
    })
    const { maxUnreadBytes } = this.#limits
    // One reply may be of any size.
    if (connection.unreadBytes > byteCount && connection.unreadBytes > maxUnreadBytes / 4) {
      this.#close(socket)
      throw new ServiceError('OVERLOADED', 'Cannot reply: too much of what was replied before is not taken')
    }
    for (const other of this.#unread) {
      if (this.#unreadBytes <= maxUnreadBytes) break
      if (other !== socket) this.#close(other)
    }
  }

  #close(socket: Socket): void {
    if (socket.destroyed) return
    this.#closedCount += 1
    socket.destroy()
    // What it holds is free now, though its end is told later.
    const connection = this.#connections.get(socket)
    this.#unread.delete(socket)
    if (connection === undefined) return
    this.#unreadBytes -= connection.unreadBytes
    connection.unreadBytes = 0
  }
}

/** Makes the guard that the settings ask for. */
export function connectionGuardOf(
  config: Pick<Config, 'maxConnections' | 'maxPipelinedRequests' | 'unreadRepliesBytes' | 'unreadReplySeconds'>
): ConnectionGuard {
  const { maxConnections, maxPipelinedRequests, unreadRepliesBytes: maxUnreadBytes, unreadReplySeconds } = config
  const unreadTimeoutMs = unreadReplySeconds * 1000
  return new ConnectionGuard({ maxConnections, maxPipelinedRequests, maxUnreadBytes, unreadTimeoutMs })
}
