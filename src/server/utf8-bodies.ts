/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Transform, type Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { charsetOf, TextReader } from '../reading/text-reader.ts'

/**
 * Converts bodies in other charsets to UTF-8 while they arrive: decoding a large one as a whole would block other requests
 * and take several times its size in memory.
 */
export function addUtf8Bodies(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    const charset = charsetOf(request.headers['content-type'])
    return charset === undefined || charset === 'utf-8' ? payload : inUtf8(payload, charset)
  })
}

function inUtf8(payload: Readable, charset: string): Readable {
  const reader = new TextReader(charset, 'the body')
  // Fastify compares it with `Content-Length`.
  let receivedEncodedLength = 0
  const decoded = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      receivedEncodedLength += chunk.length
      decode(() => reader.write(chunk), done)
    },
    flush: (done) => decode(() => reader.end(), done)
  })
  Object.defineProperty(decoded, 'receivedEncodedLength', { get: () => receivedEncodedLength })
  payload.once('error', (error) => decoded.destroy(error))
  // When the request is refused by its head, there is no other listener, and an error would end the process.
  decoded.on('error', () => undefined)
  return payload.pipe(decoded)
}

function decode(read: () => string, done: (error: Error | null, bytes?: Buffer) => void): void {
  try {
    done(null, Buffer.from(read()))
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the reader throws nothing else
    done(error as Error)
  }
}
