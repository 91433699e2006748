/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_STATUS, ServiceError, type ErrorCode } from '../../src/errors.ts'
import { NOT_BLANK, toErrorReply, toOpenAiError } from '../../src/server/error-reply.ts'
import { openFullApp } from './full-app.ts'

test('toErrorReply() sends every kind of ServiceError in one shape', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which keys a constant has
  for (const code of Object.keys(ERROR_STATUS) as ErrorCode[]) {
    const { body, headers, isUnexpected } = toErrorReply(new ServiceError(code, 'Cannot do it: a reason'))
    assert.deepEqual(Object.keys(body), ['statusCode', 'code', 'error', 'message'])
    assert.equal(body.statusCode, ERROR_STATUS[code])
    assert.equal(body.code, code)
    assert.match(body.error, /^[A-Z][A-Za-z -]+$/)
    assert.equal(body.message, 'Cannot do it: a reason')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['www-authenticate'] !== undefined, code === 'UNAUTHORIZED')
    // Whatever is away says when to come back, also where nobody knows.
    assert.equal(headers['retry-after'], body.statusCode === 503 ? '5' : undefined, code)
    assert.equal(isUnexpected, false)
  }
})

test('toErrorReply() tells the fields, and when to come back', () => {
  const fields = { query: ['required field'] }
  const error = new ServiceError('OVERLOADED', 'Cannot take more', {
    fields,
    retryAfterSeconds: 1.2,
    cause: new Error('hush')
  })
  const reply = toErrorReply(error)
  assert.deepEqual(reply.body.errors, fields)
  assert.equal(reply.headers['retry-after'], '2')
  assert.ok(!JSON.stringify(reply).includes('hush'))
})

test('toErrorReply() answers what it does not know with a bare 500', () => {
  for (const thrown of [
    new TypeError('secret detail'),
    'secret detail',
    undefined,
    { message: 'secret detail' },
    null
  ]) {
    const reply = toErrorReply(thrown)
    assert.equal(reply.body.statusCode, 500)
    assert.equal(reply.body.code, 'INTERNAL')
    assert.ok(reply.isUnexpected)
    assert.ok(!JSON.stringify(reply).includes('secret detail'))
  }
})

test('toErrorReply() gives a plugin error its status, and not its words', () => {
  const thrown = Object.assign(new Error('secret detail'), { statusCode: 409 })
  const { body, isUnexpected } = toErrorReply(thrown)
  assert.equal(body.code, 'CONFLICT')
  assert.equal(isUnexpected, false)
  assert.ok(!body.message.includes('secret detail'))
  assert.equal(toErrorReply(Object.assign(new Error('x'), { statusCode: 502 })).body.statusCode, 500)
})

test('toErrorReply() challenges as RFC 6750 says: what was wrong only when something was sent', () => {
  const missing = Object.assign(new Error('x'), {
    code: 'FST_BEARER_AUTH_MISSING_AUTHORIZATION_HEADER',
    statusCode: 401
  })
  const wrong = Object.assign(new Error('x'), { code: 'FST_BEARER_AUTH_INVALID_AUTHORIZATION_HEADER', statusCode: 401 })
  assert.equal(toErrorReply(missing).headers['www-authenticate'], 'Bearer realm="sbert-service"')
  assert.equal(toErrorReply(wrong).headers['www-authenticate'], 'Bearer realm="sbert-service", error="invalid_token"')
})

test('toErrorReply() names all missing fields of a failed validation in the words of the seed', () => {
  const validation = [
    { keyword: 'required', instancePath: '', params: { missingProperty: 'a' }, message: 'must have a' }
  ]
  const thrown = Object.assign(new Error('x'), { validation })
  const { body } = toErrorReply(thrown, { requiredFields: ['a', 'b', 'c'], value: { b: 1 } })
  assert.equal(body.statusCode, 400)
  assert.deepEqual(body.errors, { a: ['required field'], c: ['required field'] })
})

test('toErrorReply() takes blank for missing, and says of all else what is wrong and where', () => {
  const validation = [
    { keyword: 'pattern', instancePath: '/query', params: { pattern: NOT_BLANK }, message: 'must match' },
    { keyword: 'type', instancePath: '/a/3', params: {}, message: 'must be string' },
    { keyword: 'enum', instancePath: '/truncate', params: { allowedValues: ['end', 'none'] }, message: 'must be equal' }
  ]
  const { body } = toErrorReply(Object.assign(new Error('x'), { validation }))
  assert.deepEqual(body.errors, {
    query: ['required field'],
    a: ['3 must be string'],
    truncate: ['must be one of end, none']
  })
})

test('toErrorReply() says in words what each pattern of the routes wants', async (t) => {
  const { app } = await openFullApp(t, [])
  const api = (await app.inject('/docs/json')).body
  const patterns = new Set(
    [...api.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, pattern]): unknown => JSON.parse(pattern ?? ''))
  )
  patterns.delete(NOT_BLANK)
  assert.ok(patterns.size > 2, `${patterns.size} patterns`)
  for (const pattern of patterns) {
    const validation = [{ keyword: 'pattern', instancePath: '/x', params: { pattern }, message: 'must match pattern' }]
    const { body } = toErrorReply(Object.assign(new Error('x'), { validation }))
    assert.match(body.message, /^Cannot read the request: x: must be /, String(pattern))
  }
})

test('toOpenAiError() nests the error and names the parameter', () => {
  const { body } = toErrorReply(
    new ServiceError('INVALID_REQUEST', 'Cannot', { fields: { input: ['required field'] } })
  )
  assert.deepEqual(toOpenAiError(body), {
    error: { message: 'Cannot', type: 'invalid_request_error', param: 'input', code: 'invalid_request' }
  })
  assert.equal(typeOf('UNAUTHORIZED'), 'authentication_error')
  assert.equal(typeOf('FORBIDDEN'), 'permission_error')
  assert.equal(typeOf('TOO_MANY_REQUESTS'), 'rate_limit_error')
  assert.equal(typeOf('OVERLOADED'), 'server_error')
})

function typeOf(code: ErrorCode): unknown {
  return toOpenAiError(toErrorReply(new ServiceError(code, 'x')).body).error['type']
}
