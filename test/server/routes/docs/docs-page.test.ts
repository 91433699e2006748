/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openFullApp } from '../../full-app.ts'
import { openMentorApp } from '../../mentor-app.ts'
import { buildTestApp } from '../../test-app.ts'

const REDOCLY = new URL('../../../../node_modules/@redocly/cli/bin/cli.js', import.meta.url)

/** The specification, and that examples are what their schemas take. */
const REDOCLY_CONFIG = `
extends: [spec]
telemetry: off
rules:
  operation-summary: error
  operation-description: error
  operation-singular-tag: error
  operation-tag-defined: error
  tag-description: error
  no-invalid-media-type-examples: error
  no-invalid-parameter-examples: error
  no-invalid-schema-examples: error
`

test('/docs/json is valid OpenAPI 3.1, with the routes of mentors and classifiers too', async (t) => {
  const { app } = await openMentorApp(t)
  const folder = await mkdtemp(join(tmpdir(), 'openapi-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'openapi.json')
  const reply = await app.inject('/docs/json')
  await writeFile(file, reply.payload)
  await writeFile(join(folder, 'redocly.yaml'), REDOCLY_CONFIG)
  const run = promisify(execFile)(
    process.execPath,
    [REDOCLY.pathname, 'lint', file, '--config', join(folder, 'redocly.yaml')],
    {
      env: { ...process.env, REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', REDOCLY_TELEMETRY: 'off' }
    }
  )
  await assert.doesNotReject(run)
  assert.match(reply.payload, /classifiers/)
})

test('/docs/json shows every route, with the schemas that validate and the errors by name', async (t) => {
  const { app } = await buildTestApp(t, { MAX_SENTENCES: '7' })
  const api = (await app.inject('/docs/json')).json()
  assert.equal(api.openapi, '3.1.0')
  assert.deepEqual(Object.keys(api.paths).toSorted(), [
    '/',
    '/health/live',
    '/health/ready',
    '/v1/caller',
    '/v1/embeddings',
    '/v1/encode',
    '/v1/encode/cos_sim_weight',
    '/v1/encode/multiple_encode',
    '/v1/models',
    '/v1/models/{model}',
    '/v1/paraphrase',
    '/v1/ping',
    '/v1/tokenize',
    '/v2',
    '/v2/health/live',
    '/v2/health/ready',
    '/v2/models/{model}',
    '/v2/models/{model}/infer',
    '/v2/models/{model}/ready',
    '/v2/models/{model}/versions/{version}',
    '/v2/models/{model}/versions/{version}/infer',
    '/v2/models/{model}/versions/{version}/ready',
    '/v2/repository/index'
  ])
  const body = api.paths['/v1/encode/multiple_encode'].post.requestBody.content['application/json'].schema
  assert.equal(body.properties.sentences.maxItems, 7)
  assert.deepEqual(Object.keys(api.components.schemas), ['ErrorReply'])
})

test('/docs shows a page whose scripts its own content security policy lets run', async (t) => {
  const { app } = await buildTestApp(t)
  for (const url of ['/docs', '/docs/']) {
    const page = await app.inject(url)
    assert.equal(page.statusCode, 200)
    assert.match(String(page.headers['content-type']), /^text\/html/)
    assert.match(String(page.headers['content-security-policy']), /script-src 'self'/)
    assert.ok(!/<script(?![^>]*\bsrc=)/.test(page.payload), 'no script is inline')
    const sources = [...page.payload.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
    assert.ok(sources.length >= 3)
    for (const source of sources) {
      assert.ok(!/^https?:/.test(source), `${source} is of this server`)
      assert.equal((await app.inject(new URL(source, 'http://x/docs/').pathname)).statusCode, 200, source)
    }
  }
})

test('/docs does not keep the key, and its document is made once', async (t) => {
  const { app } = await buildTestApp(t)
  const script = await app.inject('/docs/static/swagger-initializer.js')
  assert.match(script.payload, /"persistAuthorization":\s*false/)
  const { bytes, yaml } = { bytes: await app.inject('/docs/json'), yaml: await app.inject('/docs/yaml') }
  assert.equal(bytes.headers['content-type'], 'application/json; charset=utf-8')
  assert.match(yaml.payload, /^openapi: 3\.1\.0/)
  app.swagger = () => assert.fail('the document is made anew')
  assert.equal((await app.inject('/docs/json')).payload, bytes.payload)
})

test('/docs/json tells of what any request may be refused with, whatever its route', async (t) => {
  const { app } = await openMentorApp(t)
  const api: { paths: Record<string, Record<string, { responses: object; security?: unknown[] }>> } = (
    await app.inject('/docs/json')
  ).json()
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, { responses, security }] of Object.entries(methods)) {
      // What is open to everyone and takes nothing, and the ping, tell of no errors of their own.
      if (security?.length === 0 || path === '/v1/ping') continue
      const ofAddress = path.includes('{') ? ['414'] : []
      for (const status of ['401', '408', '431', ...ofAddress])
        assert.ok(status in responses, `${method} ${path}: ${status}`)
    }
  }
})

test('/docs/json lets optional members be null, as the service does, and a body be left out that may be', async (t) => {
  const { app } = await openMentorApp(t)
  const { paths } = (await app.inject('/docs/json')).json()
  const bodyOf = (path: string, method = 'post') => paths[path][method].requestBody
  const { properties, required } = bodyOf('/v1/encode').content['application/json'].schema
  assert.deepEqual(properties.truncate.enum, ['end', 'start', 'none', null])
  assert.deepEqual([properties.query.type, required], ['string', ['query']])
  const asked = bodyOf('/v2/models/{model}/infer').content['application/json'].schema.properties
  assert.deepEqual(asked.outputs.type, ['array', 'null'])
  assert.deepEqual(asked.inputs.items.properties.parameters.type, ['object', 'null'])
  assert.equal(bodyOf('/v1/encode').required, true)
  assert.equal(bodyOf('/mentors/{mentor}/versions/{version}/promote').required, false)
})

test('/docs/json describes server-sent events by their fields', async (t) => {
  const { app } = await openFullApp(t, [])
  const { paths } = (await app.inject('/docs/json')).json()
  const { schema } = paths['/v1/events'].get.responses['200'].content['text/event-stream']
  const { data } = schema.properties
  assert.deepEqual([data.type, data.contentMediaType], ['string', 'application/json'])
  assert.equal(data.contentSchema.properties.atMs.type, 'integer')
})

test('/docs/json has every form of a result of a job', async (t) => {
  const { app } = await openFullApp(t, [])
  const { paths } = (await app.inject('/docs/json')).json()
  assert.deepEqual(Object.keys(paths['/v1/jobs/{id}/result'].get.responses['200'].content), [
    'application/json',
    'application/jsonl',
    'application/octet-stream'
  ])
})
