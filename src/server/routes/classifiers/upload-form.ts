/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Busboy } from '@fastify/busboy'
import { nextTurn } from '../../../embedding/similarity.ts'

/** Limits of a form. The size of its files is only limited by the body's. */
const LIMITS = { parts: 8, headerPairs: 16, headerSize: 4096, fieldNameSize: 100, fieldSize: 1_048_576 }
/** Bytes read before the event loop may run other work. */
const BYTES_A_TURN = 1_048_576

/** A part of a form. */
export interface FormPart {
  readonly isFile: boolean
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Parses a form (`multipart/form-data`), a megabyte at a time so that other requests are answered meanwhile. When several
 * parts have the same name, the first counts.
 * @throws Error when it is not a form, is truncated, or exceeds the limits
 */
export async function readForm(body: Uint8Array, contentType: string): Promise<ReadonlyMap<string, FormPart>> {
  const parts = new Map<string, FormPart>()
  const form = new Busboy({ headers: { 'content-type': contentType }, limits: LIMITS })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const add = (name: string, part: FormPart): void => {
    if (!parts.has(name)) parts.set(name, part)
  }
  form.on('file', (name, stream) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => add(name, { isFile: true, bytes: new Uint8Array(Buffer.concat(chunks)) }))
    stream.on('error', reject)
  })
  form.on('field', (name, value) => add(name, { isFile: false, bytes: new TextEncoder().encode(value) }))
  form.on('partsLimit', () => reject(new Error('Cannot read the form: it has too many parts')))
  form.on('error', reject)
  form.on('finish', resolve)
  const failed = promise.then(
    () => undefined,
    (error: unknown) => ({ error })
  )
  for (let start = 0; start < body.length; start += BYTES_A_TURN) {
    form.write(body.subarray(start, start + BYTES_A_TURN))
    const early = await Promise.race([failed, nextTurn().then(() => undefined)])
    if (early !== undefined) throw early.error
  }
  form.end()
  await promise
  return parts
}
