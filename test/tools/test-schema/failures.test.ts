/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { EXCEPTIONS, exceptionOf } from '../../../tools/test-schema/exceptions.ts'
import { readReport } from '../../../tools/test-schema/failures.ts'

const REFUSED = '{"message":"Cannot list jobs: the cursor is not the `next` of a page"}'

/** A report in the form of Schemathesis 4.32.5, with one checked request. */
async function report(
  t: TestContext,
  status: 'success' | 'failure',
  reply = REFUSED,
  more: object[] = []
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'report-'))
  t.after(() => rm(folder, { recursive: true }))
  const failure = { title: 'Schema-valid request rejected', message: 'Valid data\nshould have been accepted' }
  const scenario = {
    phase: 'coverage',
    recorder: {
      label: 'GET /v1/jobs',
      cases: { a: { value: { method: 'GET', path: '/v1/jobs' } } },
      checks: {
        a: [
          { name: 'not_a_server_error', status: 'success', failure_info: null },
          { name: 'positive_data_acceptance', status, failure_info: status === 'failure' ? { failure } : null }
        ]
      },
      interactions: {
        a: {
          request: { method: 'GET', uri: 'http://127.0.0.1/v1/jobs?cursor=0', body: null },
          response: { status_code: 400, content: { $base64: Buffer.from(reply).toString('base64') } }
        }
      }
    }
  }
  // A scenario of the stateful phase may have made no request.
  const empty = { ScenarioFinished: { phase: 'stateful', recorder: { label: 'Stateful tests' } } }
  const file = join(folder, 'report.ndjson')
  const events = [{ Initialize: {} }, { ScenarioFinished: scenario }, empty, ...more]
  await writeFile(file, events.map((event) => JSON.stringify(event)).join('\n'))
  return file
}

test('readReport() tells a failed check with its request and reply, and which operations were tested', async (t) => {
  const found = await readReport(await report(t, 'failure'))
  assert.deepEqual(found.failures, [
    {
      operation: 'GET /v1/jobs',
      check: 'positive_data_acceptance',
      message: 'Schema-valid request rejected: Valid data should have been accepted',
      reply: `400 ${REFUSED}`,
      phase: 'coverage',
      request: 'GET http://127.0.0.1/v1/jobs?cursor=0 '
    }
  ])
  assert.deepEqual([found.caseCount, found.errors], [1, []])
  assert.deepEqual([...(found.tested.get('coverage') ?? [])], ['GET /v1/jobs'])
  assert.deepEqual((await readReport(await report(t, 'success'))).failures, [])
})

test('readReport() tells what kept requests from being made', async (t) => {
  const error = { NonFatalError: { label: 'POST /v1/jobs', phase: 'examples', value: { message: 'no serializer' } } }
  const { errors } = await readReport(await report(t, 'success', REFUSED, [error]))
  assert.deepEqual(errors, ['POST /v1/jobs (examples): no serializer'])
})

test('exceptionOf() takes what is named, and nothing that another reply says', async (t) => {
  const [named] = (await readReport(await report(t, 'failure'))).failures
  const [unnamed] = (await readReport(await report(t, 'failure', '{"message":"Cannot list jobs"}'))).failures
  assert.ok(named !== undefined && unnamed !== undefined)
  assert.match(exceptionOf(named)?.reason ?? '', /cursor/)
  assert.equal(exceptionOf(unnamed), undefined)
  assert.equal(exceptionOf({ ...named, check: 'not_a_server_error' }), undefined)
  assert.equal(exceptionOf({ ...named, operation: 'GET /v1/models' }), undefined)
  const refusedKey = '{"message":"Cannot read the body: the key \\"__proto__\\" is not taken"}'
  for (const operation of ['POST /v1/jobs', 'POST /v1/embeddings']) {
    assert.match(exceptionOf({ ...unnamed, operation, reply: `400 ${refusedKey}` })?.reason ?? '', /__proto__/)
  }
})

test('every exception has a reason of one sentence, and none is for a server error', () => {
  for (const { operation, check, reason } of EXCEPTIONS) {
    assert.match(reason, /^[A-Z][^\n]*\.$/, operation)
    assert.notEqual(check, 'not_a_server_error', operation)
  }
})
