/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHmac } from 'node:crypto'
import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { Agent, request } from 'undici'

import { inClientSpan } from '../tracing/client-span.ts'
import { PermanentJobError } from './job.ts'
import type { JobHandler } from './job-runner.ts'
import { packPayload, unpackPayload } from './payload.ts'

/** Options of {@link webhookJob}; what is left out has its default. */
export interface WebhookOptions {
  /** Signs the notices; receivers check the signature with it. */
  readonly secret: string
  /** Whether private addresses may be called. @default false */
  readonly allowsPrivate?: boolean
  /** Resolves a host name to addresses. @default the system's resolver */
  readonly lookup?: (hostname: string) => Promise<readonly LookupAddress[]>
  readonly timeoutMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** The most characters of a callback URL. */
export const MAX_CALLBACK_URL_CHARACTERS = 2048

const TIMEOUT_MS = 10_000
const GONE = 410

/**
 * Addresses that are not public (https://www.iana.org/assignments/iana-ipv4-special-registry): this network, private, shared,
 * loopback, link-local (where clouds serve credentials), protocol assignments, documentation, 6to4 relays, benchmarks,
 * multicast, reserved and broadcast.
 */
const SPECIAL_V4 = new BlockList()
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4]
] as const) {
  SPECIAL_V4.addSubnet(address, prefix, 'ipv4')
}

/** Public IPv6 addresses: 2000::/3, without Teredo and 6to4, which embed IPv4 addresses, and without documentation. */
const GLOBAL_V6 = new BlockList()
GLOBAL_V6.addSubnet('2000::', 3, 'ipv6')
const SPECIAL_V6 = new BlockList()
for (const [address, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20]
] as const) {
  SPECIAL_V6.addSubnet(address, prefix, 'ipv6')
}

/** Suffixes of names that resolve within one network only; so do names without a dot, such as `localhost`. */
const LOCAL_SUFFIXES = ['.localhost', '.local', '.internal', '.intranet', '.lan', '.localdomain', '.home.arpa']

/** Whether an IP address is public, so that calling it gives nobody access to this network. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !SPECIAL_V4.check(address, 'ipv4')
  return family === 6 && GLOBAL_V6.check(address, 'ipv6') && !SPECIAL_V6.check(address, 'ipv6')
}

/**
 * Says what is wrong with a callback URL, as far as that shows without resolving its host.
 * @returns `undefined` when nothing is wrong
 */
export function callbackUrlProblem(url: string, allowsPrivate: boolean): string | undefined {
  const parsed = URL.parse(url)
  if (parsed === null || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:'))
    return 'not an http or https URL'
  if (url.length > MAX_CALLBACK_URL_CHARACTERS) return `longer than ${MAX_CALLBACK_URL_CHARACTERS} characters`
  if (parsed.username !== '' || parsed.password !== '') return 'has a user name or password'
  const host = hostOf(parsed)
  if (!allowsPrivate && (isIP(host) !== 0 ? !isPublicAddress(host) : isLocalName(host))) return 'a private address'
  return undefined
}

/**
 * Signs a notice as Standard Webhooks do (https://www.standardwebhooks.com): `v1,` and the HMAC-SHA-256 of id, time and body.
 * @param secret the key: `whsec_` and base64, as that standard writes keys, or any other text, whose bytes are the key
 */
export function signatureOf(secret: string, id: string, timestampSeconds: number, body: string): string {
  const signed = `${id}.${timestampSeconds}.${body}`
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}

/**
 * Delivers the notice of a job's end: a signed POST of
 * `{"type": "job.ended", "timestamp", "data": {"id", "type", "status", "failure", "statusUrl", "resultUrl"}}` with the
 * headers `webhook-id` (the same in every try), `webhook-timestamp` and `webhook-signature`.
 * Any status but 2xx is retried, as other failed jobs are; 410 and a private address are not. Redirects are not followed.
 */
export function webhookJob(options: WebhookOptions): JobHandler {
  const { secret, allowsPrivate = false, lookup = systemLookup, timeoutMs = TIMEOUT_MS, now = Date.now } = options
  return async (payload, { job, signal }) => {
    const notice = noticeIn(unpackPayload(payload))
    const problem = callbackUrlProblem(notice.url, allowsPrivate)
    if (problem !== undefined) throw new PermanentJobError(`Cannot call back: the URL is ${problem}`)
    const addresses = await addressesOf(notice.url, lookup)
    if (!allowsPrivate && !addresses.every(({ address }) => isPublicAddress(address))) {
      throw new PermanentJobError('Cannot call back: the host has a private address')
    }
    const timestamp = Math.floor(now() / 1000)
    const { id, type, status, failure } = notice
    const data = { id, type, status, failure, statusUrl: `/v1/jobs/${id}`, resultUrl: `/v1/jobs/${id}/result` }
    const body = JSON.stringify({ type: 'job.ended', timestamp: new Date(timestamp * 1000).toISOString(), data })
    // Connects to the addresses that were just checked: a second lookup might give others (DNS rebinding).
    const agent = new Agent({
      connect: {
        lookup: (_hostname, { all }, done) => {
          const [first] = addresses
          if (all === true) done(null, [...addresses])
          else if (first !== undefined) done(null, first.address, first.family)
        }
      }
    })
    try {
      const { statusCode } = await inClientSpan('POST', notice.url, async (trace) => {
        const reply = await request(notice.url, {
          method: 'POST',
          dispatcher: agent,
          headers: {
            'content-type': 'application/json',
            'user-agent': 'sbert-service',
            'webhook-id': job.id,
            'webhook-timestamp': String(timestamp),
            'webhook-signature': signatureOf(secret, job.id, timestamp, body),
            ...trace
          },
          body,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
        })
        await reply.body.dump()
        return reply
      })
      if (statusCode === GONE) throw new PermanentJobError('Cannot call back: the receiver answered 410')
      if (statusCode < 200 || statusCode > 299) throw new Error(`Cannot call back: the receiver answered ${statusCode}`)
      return packPayload({ statusCode })
    } finally {
      await agent.destroy()
    }
  }
}

interface Notice {
  readonly url: string
  readonly id: string
  readonly type: string
  readonly status: string
  readonly failure: string | null
}

function noticeIn(value: unknown): Notice {
  const notice: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {}
  const { url, id, type, status, failure } = notice
  if (typeof url !== 'string' || typeof id !== 'string' || typeof type !== 'string' || typeof status !== 'string') {
    throw new PermanentJobError('Cannot call back: this is not a notice')
  }
  return { url, id, type, status, failure: typeof failure === 'string' ? failure : null }
}

async function addressesOf(
  url: string,
  lookup: (hostname: string) => Promise<readonly LookupAddress[]>
): Promise<readonly LookupAddress[]> {
  const host = hostOf(new URL(url))
  const family = isIP(host)
  const addresses = family === 0 ? await lookup(host) : [{ address: host, family }]
  if (addresses.length === 0) throw new Error('Cannot call back: the host has no address')
  return addresses
}

async function systemLookup(hostname: string): Promise<readonly LookupAddress[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>()
  dnsLookup(hostname, { all: true }, (error, addresses) => {
    if (error === null) resolve(addresses)
    else reject(error)
  })
  return promise
}

/** The host, without the brackets of an IPv6 address and without the trailing dot of an absolute name. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$|\.+$/g, '')
}

function isLocalName(host: string): boolean {
  return !host.includes('.') || LOCAL_SUFFIXES.some((suffix) => host.endsWith(suffix))
}
