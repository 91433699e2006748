/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// CloudFront Function (cloudfront-js-2.0) at viewer-request of /v1/encode: decides, before the cache is looked up, who may
// be answered from it. The runtime is njs with less: test/edge/ runs this very file in njs, and refuses syntax that CloudFront lacks.
//
//   no bearer token, or an unknown key   401, here
//   a key whose SHA-256 is in the store  the copy that all such keys share, until the model's revision changes; a key that may not
//                                        encode, has a rate or is over goes to the service, which refuses or counts it
//   a JWT                                a copy of its own, which nobody else can ask for: the service verifies each one
//
// A token is never stored or passed on by this function; Authorization goes on to the service as it came.
import cf from 'cloudfront'
import crypto from 'crypto'

const SCOPE = 'x-cache-scope'
const KNOWN_PARAMETERS = ['query', 'truncate']
// The service takes no longer key (src/config/settings.ts).
const MAX_KEY_CHARACTERS = 1024
// Signed by HS256 or it is no token of ours. The signature itself is the service's to check.
const JWT = /^([\w-]+)\.[\w-]+\.[\w-]+$/

const store = cf.kvs()

async function handler(event) {
  try {
    return await decide(event)
  } catch (error) {
    // CloudFront would answer with a page of HTML.
    console.log(`The function failed: ${error.message}`)
    const message = 'Cannot tell who is calling: come back in a moment'
    return answer(event, 503, { code: 'UNAVAILABLE', error: 'Service Unavailable', message: message })
  }
}

async function decide(event) {
  const request = event.request
  // What a caller says of the scope is never believed.
  delete request.headers[SCOPE]
  if (request.uri.endsWith('/')) request.uri = request.uri.slice(0, -1)
  // Answers to others are not cached, and the service checks them.
  if (request.method !== 'GET' && request.method !== 'HEAD') return request
  const header = request.headers.authorization
  if (header === undefined) return refusal(event, 'the header "Authorization: Bearer <key>" is missing', '')
  const scope = await scopeOf(tokenIn(header), event.context.requestId)
  if (scope === undefined) {
    return refusal(event, 'the key or token is unknown, wrong or expired', ', error="invalid_token"')
  }
  request.headers[SCOPE] = { value: scope }
  request.querystring = normalized(request.querystring)
  return request
}

/** The bearer token; nothing when the header is of another kind, or is there more than once. */
function tokenIn(header) {
  if (header.multiValue !== undefined && header.multiValue.length > 1) return undefined
  const match = /^bearer ([\x21-\x2b\x2d-\x7e]+)$/i.exec(header.value)
  return match === null ? undefined : match[1]
}

/** Whose copy of the cache a token may see; nothing when it may see none. */
async function scopeOf(token, requestId) {
  if (token === undefined) return undefined
  const ownScope = `own-${requestId}`
  if (token.length <= MAX_KEY_CHARACTERS) {
    const digest = crypto.createHash('sha256').update(token).digest('hex')
    try {
      const isKey = await store.exists(digest)
      if (isKey) {
        const rule = await store.get(digest)
        if (!isShared(rule)) return ownScope
        // What the deploy workflow says of the model: another revision has another cache. Without it nothing is shared.
        const revision = await store.get('revision')
        return `shared-${revision}`
      }
    } catch (error) {
      // The store is away, or has no revision: the service, which knows the keys too, is asked for each request.
      console.log(`The key value store failed: ${error.message}`)
      return ownScope
    }
  }
  return isHs256(token) ? ownScope : undefined
}

/** Whether a key may be answered from the copy; tools/edge-keys/plan.ts writes what the store says of each. */
function isShared(value) {
  const until = / until=(\d+)$/.exec(value)
  return !value.startsWith('service') && (until === null || Date.now() < Number(until[1]) * 1000)
}

function isHs256(token) {
  const match = JWT.exec(token)
  if (match === null) return false
  try {
    return JSON.parse(Buffer.from(match[1], 'base64url').toString()).alg === 'HS256'
  } catch (error) {
    return false
  }
}

/** Only parameters that count, in one order and one spelling: so that the same question is the same entry of the cache. */
function normalized(querystring) {
  const known = {}
  // By index: the runtime has no for…of.
  for (let index = 0; index < KNOWN_PARAMETERS.length; index += 1) {
    const name = KNOWN_PARAMETERS[index]
    const given = querystring[name]
    if (given === undefined) continue
    // The service refuses a parameter that is there twice.
    known[name] = given.multiValue === undefined ? { value: trimmed(given.value) } : given
  }
  return known
}

function trimmed(value) {
  try {
    return encodeURIComponent(decodeURIComponent(value.replace(/\+/g, ' ')).trim())
  } catch (error) {
    // Not valid percent-encoding: the service refuses it as it is.
    return value
  }
}

function refusal(event, reason, challenge) {
  const message = `Cannot tell who is calling: ${reason}`
  const reply = answer(event, 401, { code: 'UNAUTHORIZED', error: 'Unauthorized', message: message })
  reply.headers['www-authenticate'] = { value: `Bearer realm="sbert-service"${challenge}` }
  return reply
}

/** In the service's own shape of an error. */
function answer(event, statusCode, problem) {
  return {
    statusCode: statusCode,
    statusDescription: problem.error,
    headers: {
      'content-type': { value: 'application/json; charset=utf-8' },
      'cache-control': { value: 'no-store' },
      'x-request-id': { value: event.context.requestId }
    },
    body: JSON.stringify({ statusCode: statusCode, code: problem.code, error: problem.error, message: problem.message })
  }
}
