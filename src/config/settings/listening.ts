/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { integer, list, text } from '../setting.ts'

/** Settings of the service’s address, keys and data folder. */
export const LISTENING_SETTINGS = {
  PORT: integer({ default: 8080, min: 0, max: 65535, doc: 'Port to listen on; 0 takes any free one.' }),
  HOST: text({
    default: '127.0.0.1',
    pattern: /^[0-9A-Za-z.:_-]{1,253}$/,
    bounds: 'a host name or an IP address',
    doc: 'Address to listen on. Any but a loopback address needs `API_SECRET_KEY`, `API_KEYS_FILE` or `JWT_SECRET_KEY`.'
  }),
  API_SECRET_KEY: list({
    itemPattern: /^[\x21-\x2b\x2d-\x7e]{1,1024}$/,
    bounds: 'keys of printable ASCII without spaces, comma separated',
    isSecret: true,
    doc: 'Bearer keys. A caller with one of them may do everything.'
  }),
  API_KEYS_FILE: text({
    default: undefined,
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path, or the ARN of a secret in AWS Secrets Manager',
    doc: 'JSON file of keys with names, scopes, rates and expiry dates; it holds their digests (docs/security.md). It is read again when it changes, and on SIGHUP; a secret is read once a minute.'
  }),
  JWT_SECRET_KEY: list({
    itemPattern: /^[\x21-\x2b\x2d-\x7e]{1,1024}$/,
    bounds: 'secrets of printable ASCII without spaces, comma separated',
    isSecret: true,
    doc: 'Secrets of HS256 tokens with the payload `{id, role, mentorIds}`. Less than 32 characters are weak, which the log warns of at start.'
  }),
  DATA_DIR: text({
    default: 'data',
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path',
    doc: 'Folder of everything the service keeps.'
  })
} as const
