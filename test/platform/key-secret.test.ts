/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import process from 'node:process'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { KeySecret } from '../../src/platform/key-secret.ts'
import { startService } from '../app/service-process.ts'

const ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:sbert-service-dev/API_KEYS-AbCdEf'

interface SecretState {
  text: string
  version: string
  /** What Secrets Manager answers instead. */
  error?: string
}

/** Secrets Manager on the wire, with one secret. */
async function openSecretsManager(t: TestContext, state: SecretState): Promise<NodeJS.ProcessEnv> {
  const server = createServer((request, response) => {
    request.resume()
    assert.equal(request.headers['x-amz-target'], 'secretsmanager.GetSecretValue')
    response.setHeader('content-type', 'application/x-amz-json-1.1')
    if (state.error !== undefined) {
      response.statusCode = 400
      response.end(JSON.stringify({ __type: state.error, message: 'no' }))
      return
    }
    response.end(JSON.stringify({ ARN, SecretString: state.text, VersionId: state.version }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert(typeof address === 'object' && address !== null)
  return {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${address.port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test'
  }
}

function keysOf(...keys: string[]): string {
  return JSON.stringify({ keys: keys.map((key) => ({ name: 'web', sha256: hash('sha256', key), scopes: ['encode'] })) })
}

test('KeySecret reads the value, again only when there is another version, and names what is wrong', async (t) => {
  const state: SecretState = { text: keysOf('one'), version: 'v1' }
  const before = { ...process.env }
  Object.assign(process.env, await openSecretsManager(t, state))
  t.after(() => (process.env = before))
  const secret = new KeySecret(ARN)
  t.after(() => secret.close())
  assert.deepEqual(await secret.readIfNot(undefined), { text: state.text, version: 'v1' })
  assert.equal(await secret.readIfNot('v1'), undefined)
  state.version = 'v2'
  assert.equal((await secret.readIfNot('v1'))?.version, 'v2')
  state.error = 'ResourceNotFoundException'
  await assert.rejects(secret.readIfNot('v2'), { code: 'ResourceNotFoundException' })
})

test('the service takes keys from a secret, changes them without a restart, and keeps them while there is no secret', async (t) => {
  const state: SecretState = { text: keysOf('old'), version: 'v1' }
  const env = await openSecretsManager(t, state)
  const standIn = new URL('../app/service-stand-in.ts', import.meta.url).pathname
  const service = startService(t, standIn, { ...env, API_KEYS_FILE: ARN })
  const { address } = await service.logged('listening')
  await service.logged('ready')
  const statusWith = async (key: string): Promise<number> =>
    (await fetch(`${String(address)}/v1/encode?query=hello`, { headers: { authorization: `Bearer ${key}` } })).status
  assert.deepEqual([await statusWith('old'), await statusWith('new')], [200, 401])
  Object.assign(state, { text: keysOf('new'), version: 'v2' })
  service.child.kill('SIGHUP')
  while ((await statusWith('new')) !== 200) await pause(10)
  assert.equal(await statusWith('old'), 401)
  state.error = 'AccessDeniedException'
  service.child.kill('SIGHUP')
  const said = await service.logged('API_KEYS_FILE cannot be read: the keys stay as they were')
  assert.deepEqual([said['problem'], await statusWith('new')], ['AccessDeniedException', 200])
})

test('the service does not start while the secret of its keys has no value', async (t) => {
  const env = await openSecretsManager(t, { text: '', version: '', error: 'ResourceNotFoundException' })
  const standIn = new URL('../app/service-stand-in.ts', import.meta.url).pathname
  const service = startService(t, standIn, { ...env, API_KEYS_FILE: ARN })
  assert.deepEqual(await service.exited, [1, null])
  assert.deepEqual(service.stderr, ['Cannot start: API_KEYS_FILE cannot be read: ResourceNotFoundException'])
})
