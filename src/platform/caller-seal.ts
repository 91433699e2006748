/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { CallerHeaders } from '../mentor/mentor-source.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_PURPOSE = 'sbert-service: headers of a caller in a job'

const callerHeaders = Compile(
  Type.Object({ authorization: Type.Optional(Type.String()), externalOrigin: Type.Optional(Type.String()) })
)

/**
 * Encrypts the headers of a caller for a job that acts on the caller's behalf, so that they cannot be read in the store of
 * jobs, its backups or a log. AES-256-GCM, with a key that HKDF derives from a secret shared by all processes of the service.
 */
export class CallerSeal {
  readonly #keys: readonly Buffer[]

  /** @param secrets the first encrypts; all decrypt, so that a secret can be rotated. Without any, headers are not kept */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', KEY_PURPOSE, KEY_BYTES)))
  }

  /**
   * Encrypts headers: base64url of nonce, tag and ciphertext.
   * @returns undefined when there is no secret, or no header
   */
  seal(caller: CallerHeaders): string | undefined {
    const [key] = this.#keys
    if (key === undefined || Object.keys(caller).length === 0) return undefined
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, key, nonce)
    const sealed = Buffer.concat([cipher.update(JSON.stringify(caller), 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
  }

  /** Decrypts headers of {@link seal}. @returns no headers when the secret is no longer known, or the text was tampered with */
  open(sealed: string | undefined): CallerHeaders {
    if (sealed === undefined) return {}
    const bytes = Buffer.from(sealed, 'base64url')
    for (const key of this.#keys) {
      const headers = openedBy(key, bytes)
      if (headers !== undefined) return headers
    }
    return {}
  }
}

function openedBy(key: Buffer, bytes: Buffer): CallerHeaders | undefined {
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
    const headers: unknown = JSON.parse(text.toString())
    return callerHeaders.Check(headers) ? headers : undefined
  } catch {
    // Encrypted with another secret, or not by us.
    return undefined
  }
}
