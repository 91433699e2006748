/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { decimal, integer, oneOf, text } from '../setting.ts'

/** Settings of mentors: their source, limits and caches. */
export const MENTOR_SETTINGS = {
  MENTOR_SOURCE: oneOf(['local', 'graphql'], {
    default: 'local',
    doc: 'Where mentors come from: `local`, this service’s own store; `graphql`, the service at `GRAPHQL_ENDPOINT`.'
  }),
  GRAPHQL_ENDPOINT: text({
    default: undefined,
    pattern: /^https?:\/\/[^\s@]{1,2000}$/,
    bounds: 'a URL without user name and password',
    doc: 'The GraphQL service of the mentors. Needed with `MENTOR_SOURCE=graphql`.'
  }),
  SECRET_HEADER_NAME: text({
    default: undefined,
    pattern:
      /^(?!authorization$|custom-external-origin$|content-|host$|connection$|transfer-encoding$)[A-Za-z0-9_-]{1,200}$/i,
    bounds: 'the name of a header that is not sent anyway',
    doc: 'Header that authenticates this service to the GraphQL service. Needs `SECRET_HEADER_VALUE`.'
  }),
  SECRET_HEADER_VALUE: text({
    default: undefined,
    pattern: /^[\x21-\x7e]{1,1024}$/,
    bounds: 'printable ASCII without spaces',
    isSecret: true,
    doc: 'Value of that header. Waiting jobs keep their callers’ headers encrypted with it, so all processes need the same value.'
  }),
  GRAPHQL_TIMEOUT_SECONDS: integer({
    default: 10,
    min: 1,
    max: 300,
    unit: 'seconds',
    doc: 'How long one operation of the GraphQL service may take, retries included; beyond it 504.'
  }),
  GRAPHQL_REPLY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 1_073_741_824,
    unit: 'bytes',
    doc: 'Longest reply of the GraphQL service; beyond it 502.'
  }),
  MENTOR_FRESH_SECONDS: integer({
    default: 60,
    min: 0,
    max: 86_400,
    unit: 'seconds',
    doc: 'How long a cached mentor of the GraphQL service counts as fresh. After that it still answers while it is read again.'
  }),
  MENTOR_MAX_AGE_SECONDS: integer({
    default: 604_800,
    min: 0,
    max: 31_536_000,
    unit: 'seconds',
    doc: 'Maximum age of a cached mentor that still answers while the GraphQL service cannot be read.'
  }),
  OFF_TOPIC_THRESHOLD: decimal({
    default: -0.631,
    min: -1000,
    max: 1000,
    doc: 'Decision score below which a model of the architecture `ridge` takes a question as off topic; `softmax` learns its own threshold.'
  }),
  MENTOR_BODY_LIMIT_BYTES: integer({
    default: 52_428_800,
    min: 1024,
    max: 268_435_456,
    unit: 'bytes',
    doc: 'Longest body of `PUT /mentors/{mentor}`; beyond it 413.'
  }),
  MENTOR_CACHE_BYTES: integer({
    default: 134_217_728,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Memory for the cache of mentors’ texts, which evicts the least recently used.'
  })
} as const
