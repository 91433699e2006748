/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { integer, list } from '../setting.ts'

/** Settings of requests: limits of bodies, connections and memory, and the caching of replies. */
export const REQUEST_SETTINGS = {
  CORS_ORIGIN: list({
    itemPattern: /^(?:\*|https?:\/\/[^/?#\s,]+)$/,
    bounds: '`*`, or origins such as `https://app.example.org`, comma separated',
    doc: 'Origins whose web pages may call the service from a browser. Without any there are no CORS headers.'
  }),
  BODY_LIMIT_BYTES: integer({
    default: 1_048_576,
    min: 1024,
    max: 16_777_216,
    unit: 'bytes',
    doc: 'Longest request body where no other limit is named, such as JSON that is parsed at once; beyond it 413.'
  }),
  MAX_JSON_DEPTH: integer({
    default: 64,
    min: 8,
    max: 1000,
    unit: 'levels',
    doc: 'How deep JSON may be nested, in bodies and in lines of them; checked before it is parsed, beyond it 400.'
  }),
  BODIES_UNDER_WAY_BYTES: integer({
    default: 134_217_728,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Maximum total of the bodies of requests that are not answered yet; beyond it 503, and 429 beyond one caller’s `MAX_CALLER_PERCENT` of it. Bodies announced with 16,384 bytes or less do not count.'
  }),
  READING_MEMORY_BYTES: integer({
    default: 268_435_456,
    min: 16_777_216,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Heap that JSON or CSV of a large body (a job, a mentor, a table) may take once it is parsed, in a thread of its own; beyond it 413.'
  }),
  MAX_WAITING_BODIES: integer({
    default: 8,
    min: 1,
    max: 1000,
    unit: 'bodies',
    doc: 'Large bodies that wait while another one is read; beyond it 503, and 429 beyond one caller’s `MAX_CALLER_PERCENT` of it.'
  }),
  MEMORY_LIMIT_BYTES: integer({
    default: 0,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    doc: 'Resident memory that the process may take; 0 takes the limit of its control group, or the machine’s memory. `BODIES_UNDER_WAY_BYTES` and `UNREAD_REPLIES_BYTES` are limited to an eighth of it each, `READING_MEMORY_BYTES` to a quarter.'
  }),
  MEMORY_GUARD_PERCENT: integer({
    default: 80,
    min: 10,
    max: 100,
    unit: 'percent',
    doc: 'From this share of `MEMORY_LIMIT_BYTES` on, bodies of more than 16,384 bytes are refused with 503; from halfway between it and the limit, everything but health.'
  }),
  REQUEST_TIMEOUT_SECONDS: integer({
    default: 60,
    min: 1,
    max: 3600,
    unit: 'seconds',
    doc: 'Maximum time for a request to arrive; beyond it 408. CSV that is answered while it arrives may take longer, but must not pause for this long.'
  }),
  MAX_CONNECTIONS: integer({
    default: 4096,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    doc: 'Maximum number of open connections; further ones are closed at once. It also limits how many pipelined requests wait behind others, over all connections.'
  }),
  MAX_PIPELINED_REQUESTS: integer({
    default: 64,
    min: 1,
    max: 10_000,
    unit: 'requests',
    doc: 'Maximum number of requests of one connection that are unanswered, or whose replies are unread; beyond it the connection is closed.'
  }),
  UNREAD_REPLIES_BYTES: integer({
    default: 134_217_728,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Maximum total of replies that clients have not read yet; beyond it the connections whose clients have not read for the longest time are closed. One connection may hold a quarter of it, or one reply of any size.'
  }),
  UNREAD_REPLY_SECONDS: integer({
    default: 60,
    min: 1,
    max: 3600,
    unit: 'seconds',
    doc: 'How long a client may read nothing of a reply; then its connection is closed.'
  }),
  MAX_SENTENCES: integer({
    default: 2048,
    min: 1,
    max: 100_000,
    unit: 'sentences',
    doc: 'Maximum number of sentences in one request; beyond it 400.'
  }),
  MAX_TEXT_CHARACTERS: integer({
    default: 65_536,
    min: 256,
    max: 16_777_216,
    unit: 'characters',
    doc: 'Longest single text; beyond it 400. The model itself reads the first 256 tokens or so.'
  }),
  REPLY_CACHE_BYTES: integer({
    default: 25_165_824,
    min: 0,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Memory for the cache of replies, which evicts the least recently used; 0 turns it off.'
  }),
  ENCODE_MAX_AGE_SECONDS: integer({
    default: 3600,
    min: 0,
    max: 31_536_000,
    unit: 'seconds',
    doc: 'How long browsers and CloudFront may reuse a `GET /v1/encode` reply without asking; then its `ETag` answers 304 until the model changes.'
  })
} as const
