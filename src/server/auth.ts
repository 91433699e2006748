/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { hash, timingSafeEqual } from 'node:crypto'
import bearerAuth from '@fastify/bearer-auth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { ServiceError } from '../errors.ts'
import type { CallerHeaders } from '../mentor/mentor-source.ts'
import { ADMIN_ROLE, isAdmin, type Caller } from './callers/caller.ts'
import type { KeyRing } from './callers/key-ring.ts'
import { SCOPES } from './callers/scope.ts'

export type { Caller } from './callers/caller.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route behind {@link addAuthentication}; read it by {@link callerOf}. */
    caller: Caller | undefined
  }
}

/** Claims of a token, beside those that any JWT may have. */
const TokenPayload = Type.Object({
  id: Type.String({ minLength: 5, maxLength: 60 }),
  role: Type.String({ maxLength: 60 }),
  mentorIds: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 10_000 }),
  exp: Type.Optional(Type.Number())
})
const isTokenPayload = Compile(TokenPayload)

/** Size of the cache of verified tokens. Verifying a token takes 0.2 ms, finding it here 1 µs. */
const MAX_VERIFIED_TOKENS = 10_000

/** Keys and secrets that admit callers. */
export interface Secrets {
  readonly apiSecretKey: readonly string[]
  readonly jwtSecretKey: readonly string[]
  /** Keys of which only the digests are known, and which may change. */
  readonly keyRing?: Pick<KeyRing, 'find'>
}

/** Finds the caller of the credential after `Bearer `; undefined when it is unknown, invalid or expired. */
export type Authenticator = (token: string) => Caller | undefined | Promise<Caller | undefined>

/**
 * Creates the check of keys and tokens. A key is compared in constant time with every key of `API_SECRET_KEY`, padded to the
 * longest of them; keys of the ring are compared by their digests.
 *
 * @param now milliseconds since 1970
 */
export function createAuthenticator(secrets: Secrets, now: () => number = Date.now): Authenticator {
  const keyBytes = Math.max(0, ...secrets.apiSecretKey.map((key) => Buffer.byteLength(key)))
  const { keyRing } = secrets
  const keys = secrets.apiSecretKey.map((key) => {
    const keyId = hash('sha256', key).slice(0, 12)
    return {
      padded: Buffer.alloc(keyBytes, key.padEnd(keyBytes, '\0')),
      length: key.length,
      caller: Object.freeze<Caller>({ kind: 'key', keyId, name: keyId, scopes: SCOPES })
    }
  })
  const padded = Buffer.alloc(keyBytes)
  const jwtSecrets = secrets.jwtSecretKey.map((secret) => new TextEncoder().encode(secret))
  const verifiedTokens = new LRUCache<string, Static<typeof TokenPayload>>({ max: MAX_VERIFIED_TOKENS })

  async function verify(token: string, digest: string): Promise<Caller | undefined> {
    for (const secret of jwtSecrets) {
      try {
        const options = { algorithms: ['HS256'], currentDate: new Date(now()) }
        const { payload } = await jwtVerify(token, secret, options)
        if (!isTokenPayload.Check(payload)) return undefined
        verifiedTokens.set(digest, payload)
        return jwtCaller(payload)
      } catch {
        // Not signed with this secret, expired, or not a token: the caller is not told which.
      }
    }
    return undefined
  }

  return (token) => {
    let found: Caller | undefined
    // Keys are ASCII (src/config/settings/listening.ts), so bytes equal characters; a longer token is not one of them.
    if (token.length <= keyBytes) {
      padded.fill(0)
      padded.write(token, 'utf8')
      for (const { padded: known, length, caller } of keys) {
        if (timingSafeEqual(known, padded) && length === token.length) found = caller
      }
    }
    if (found !== undefined || (jwtSecrets.length === 0 && keyRing === undefined)) return found
    // Tokens are cached by their hash, which is not secret.
    const tokenId = hash('sha256', token)
    found = keyRing?.find(tokenId, now())
    if (found !== undefined || jwtSecrets.length === 0) return found
    const verified = verifiedTokens.get(tokenId)
    if (verified === undefined) return verify(token, tokenId)
    if (verified.exp === undefined || now() < verified.exp * 1000) return jwtCaller(verified)
    verifiedTokens.delete(tokenId)
    return undefined
  }
}

/** Requires a key or token for all routes of this Fastify scope and those within it, before a body is read. */
export async function addAuthentication(app: FastifyInstance, authenticate: Authenticator): Promise<void> {
  app.decorateRequest('caller')
  await app.register(bearerAuth, {
    keys: new Set<string>(),
    addHook: false,
    specCompliance: 'rfc6749',
    verifyErrorLogLevel: 'debug',
    auth(token, request) {
      const found = authenticate(token)
      if (!(found instanceof Promise)) {
        request.caller = found
        return found !== undefined
      }
      return found.then((caller) => {
        request.caller = caller
        return caller !== undefined
      })
    }
  })
  const verifyBearerAuth = app.verifyBearerAuth
  assert.ok(verifyBearerAuth, 'bearer-auth did not decorate the server: this is a bug')
  app.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    verifyBearerAuth(request, reply, done)
  })
}

/** The caller of an authenticated request. */
export function callerOf(request: FastifyRequest): Caller {
  assert.ok(request.caller, 'A route that needs a caller is outside of authentication: this is a bug')
  return request.caller
}

/** The caller's headers that are forwarded when another service is asked on the caller's behalf. */
export function callerHeadersOf(request: FastifyRequest): CallerHeaders {
  const { authorization, 'custom-external-origin': externalOrigin } = request.headers
  return {
    ...(authorization !== undefined && { authorization }),
    ...(typeof externalOrigin === 'string' && { externalOrigin })
  }
}

/** Identifies a caller for fair queueing, shares of limits, and ownership of jobs. */
export function callerKey(caller: Caller): string {
  return caller.kind === 'key' ? caller.keyId : `jwt:${caller.id}`
}

/** Whether a caller may read, and train, a mentor. */
export function mayRead(caller: Caller, mentorId: string): boolean {
  return caller.kind === 'key' || caller.role === ADMIN_ROLE || caller.mentorIds.includes(mentorId)
}

/** @throws {ServiceError} FORBIDDEN when {@link mayRead} says no */
export function assertMayRead(caller: Caller, mentorId: string): void {
  if (!mayRead(caller, mentorId)) throw notAuthorized()
}

/** Error for a caller who may not do this. */
export function notAuthorized(): ServiceError {
  return new ServiceError('FORBIDDEN', 'not authorized')
}

/**
 * Checks that a caller may use classifiers: they belong to no mentor, so only keys and administrators may.
 * @throws {ServiceError} FORBIDDEN for any other caller
 */
export function assertMayUseClassifiers(caller: Caller): void {
  if (caller.kind === 'jwt' && !isAdmin(caller)) throw notAuthorized()
}

function jwtCaller(payload: Static<typeof TokenPayload>): Caller {
  return { kind: 'jwt', id: payload.id, role: payload.role, mentorIds: payload.mentorIds }
}
