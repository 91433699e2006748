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
  /** Maximum number of open connections; more are closed at once. Also the maximum number of pipelined requests that wait, over all connections. */
  readonly maxConnections: number
  /** Maximum number of requests of one connection that are unanswered, or whose replies are unread. */
  readonly maxPipelinedRequests: number
  /** Maximum number of bytes of unread replies, over all connections; one may hold a quarter of it. */
  readonly maxUnreadBytes: number
  /** How long a client may read nothing of a reply. */
  readonly unreadTimeoutMs: number
}

/** Replies up to this size, which most are, are not counted. */
const UNCOUNTED_BYTES = 16_384

interface Connection {
  requestCount: number
  unreadBytes: number
}

/**
 * Limits the memory that connections can take: pipelined requests, and replies that are not read. Node.js parses all requests
 * of a chunk at once, some 2,000 of the shortest, before it stops reading. So a connection with too many is closed, since each
 * further reply would take more memory.
 */
export class ConnectionGuard {
  readonly #limits: ConnectionLimits
  readonly #connections = new WeakMap<Socket, Connection>()
  /** Connections with unread replies, the longest waiting first. */
  readonly #unread = new Set<Socket>()
  #unreadBytes = 0
  #pipelinedCount = 0
  #closedCount = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Bytes of counted replies that are unread. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /** Number of connections that were closed for exceeding a limit. */
  get closedCount(): number {
    return this.#closedCount
  }

  /** Guards a server's connections; must be called before it listens. */
  watch(server: Server): void {
    server.maxConnections = this.#limits.maxConnections
    server.timeout = this.#limits.unreadTimeoutMs
    server.on('connection', (socket: Socket) => {
      const connection = { requestCount: 0, unreadBytes: 0 }
      this.#connections.set(socket, connection)
      // Each request may add listeners for the end of its connection.
      socket.setMaxListeners(this.#limits.maxPipelinedRequests + socket.getMaxListeners())
      socket.once('close', () => {
        this.#pipelinedCount -= Math.max(0, connection.requestCount - 1)
        this.#unreadBytes -= connection.unreadBytes
        this.#unread.delete(socket)
        this.#connections.delete(socket)
      })
    })
    // Emitted when nothing was sent or received for the time, which is normal while requests are being worked on.
    server.on('timeout', (socket: Socket) => {
      const isWorkedOn = (this.#connections.get(socket)?.requestCount ?? 0) > 0
      if (!isWorkedOn) socket.destroy()
      else if (socket.writableLength > 0) this.#close(socket)
    })
  }

  /** Admits a request. @returns false when its connection was closed */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (socket.destroyed) return false
    const connection = this.#connections.get(socket)
    // The server is not guarded, or the request came from an event without a connection.
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
   * Counts a reply until the client has read it.
   * @throws {ServiceError} OVERLOADED when its connection was closed, since it has too many unread bytes
   */
  hold(response: ServerResponse, byteCount: number): void {
    const { socket } = response.req
    const connection = this.#connections.get(socket)
    if (byteCount <= UNCOUNTED_BYTES || connection === undefined) return
    connection.unreadBytes += byteCount
    this.#unreadBytes += byteCount
    this.#unread.add(socket)
    response.once('close', () => {
      // The bytes of a closed connection are uncounted as a whole.
      if (socket.destroyed || !this.#connections.has(socket)) return
      connection.unreadBytes -= byteCount
      this.#unreadBytes -= byteCount
      if (connection.unreadBytes === 0) this.#unread.delete(socket)
    })
    const { maxUnreadBytes } = this.#limits
    // One reply may be of any size.
    if (connection.unreadBytes > byteCount && connection.unreadBytes > maxUnreadBytes / 4) {
      this.#close(socket)
      throw new ServiceError('OVERLOADED', 'Cannot reply: the client has left too much of the earlier replies unread')
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
    // Its memory is free now, although `close` is emitted later.
    const connection = this.#connections.get(socket)
    this.#unread.delete(socket)
    if (connection === undefined) return
    this.#unreadBytes -= connection.unreadBytes
    connection.unreadBytes = 0
  }
}

/** Creates the guard from the settings. */
export function connectionGuardOf(
  config: Pick<Config, 'maxConnections' | 'maxPipelinedRequests' | 'unreadRepliesBytes' | 'unreadReplySeconds'>
): ConnectionGuard {
  const { maxConnections, maxPipelinedRequests, unreadRepliesBytes: maxUnreadBytes, unreadReplySeconds } = config
  const unreadTimeoutMs = unreadReplySeconds * 1000
  return new ConnectionGuard({ maxConnections, maxPipelinedRequests, maxUnreadBytes, unreadTimeoutMs })
}
