/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { hash } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { judgeNodeVersion } from '../../src/app/node-version.ts'
import { startService, type Service } from './service-process.ts'

const ENTRY = fileURLToPath(new URL('service-stand-in.ts', import.meta.url))
const start = (t: TestContext, env: Record<string, string>): Service => startService(t, ENTRY, env)

test('without a key the service makes one for this run and prints a curl that works', async (t) => {
  const service = start(t, {})
  const line = await service.said(/curl/)
  const [, header = '', url = ''] = line.match(/^ {2}curl -H '(.*)' '(.*)'$/) ?? []
  const [name = '', value = ''] = header.split(': ')
  const reply = await fetch(url, { headers: { [name]: value } })
  assert.equal(reply.status, 200)
  assert.match(await reply.text(), /^\{"query":"hello world","encoding":\[/)
  assert.equal((await fetch(url)).status, 401)
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
  assert.ok(!JSON.stringify(service.log).includes(value.replace('Bearer ', '')), 'the key is not in the log')
})

test('settings that are wrong are listed all at once, and the process ends with 1', async (t) => {
  const service = start(t, { PORT: 'x', HOST: '0.0.0.0', LOG_LEVEL: 'loud' })
  assert.deepEqual(await service.exited, [1, null])
  assert.deepEqual(service.stderr, [
    'Cannot start: 3 wrong setting(s)',
    '  PORT: want an integer, 0 to 65535',
    '  LOG_LEVEL: want one of fatal, error, warn, info, debug, trace, silent',
    '  HOST: not a loopback address, so API_SECRET_KEY, API_KEYS_FILE or JWT_SECRET_KEY must be set'
  ])
  assert.deepEqual(service.log, [])
})

test('keys of API_KEYS_FILE are taken, changed by a new file and by SIGHUP, and a broken file is said and changes nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'keys.json')
  const put = (...keys: string[]): void => {
    const entries = keys.map((key) => ({ name: 'web', sha256: hash('sha256', key), scopes: ['encode'] }))
    writeFileSync(`${path}.new`, JSON.stringify({ keys: entries }))
    renameSync(`${path}.new`, path)
  }
  put('key-of-the-file')
  const service = start(t, { API_KEYS_FILE: path, METRICS_PORT: '0' })
  const { address } = await service.logged('listening')
  await service.logged('ready')
  const statusWith = async (key: string): Promise<number> =>
    (await fetch(`${String(address)}/v1/encode?query=hello`, { headers: { authorization: `Bearer ${key}` } })).status
  const reads = (): number => service.log.filter(({ msg }) => msg === 'API keys were read').length
  assert.deepEqual([await statusWith('key-of-the-file'), await statusWith('other')], [200, 401])
  put('next', 'key-of-the-file')
  while ((await statusWith('next')) !== 200) await pause(50)
  put('next')
  service.child.kill('SIGHUP')
  while ((await statusWith('key-of-the-file')) !== 401) await pause(5)
  while (reads() < 2) await pause(5)
  writeFileSync(path, '{"keys":')
  service.child.kill('SIGHUP')
  const said = await service.logged('API_KEYS_FILE cannot be read: the keys stay as they were')
  assert.deepEqual([said['problem'], said['keyCount'], await statusWith('next')], ['it is not JSON', 1, 200])
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
  assert.deepEqual(service.stderr, [], 'no key of its own is made')
  const broken = start(t, { API_KEYS_FILE: path })
  assert.deepEqual(await broken.exited, [1, null])
  assert.deepEqual(broken.stderr, ['Cannot start: API_KEYS_FILE cannot be read: it is not JSON'])
})

function isWarned({ log }: Service): boolean {
  return log.some((line) => /lacks the security release/.test(String(line['msg'])))
}

test('a Node.js that ought not to face the internet is warned of where it may', async (t) => {
  const own = start(t, { HOST: '127.0.0.1', API_SECRET_KEY: 'key-one' })
  await own.logged('ready')
  assert.equal(isWarned(own), false)
  // An address that no machine has (RFC 5737): it is warned of before anyone listens there.
  const others = start(t, { HOST: '192.0.2.1', API_SECRET_KEY: 'key-one' })
  assert.deepEqual(await others.exited, [1, null])
  assert.equal(isWarned(others), judgeNodeVersion(process.versions.node).outcome === 'vulnerable')
})

test('a port in use is one clear line, and the process ends with 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const address = taken.address()
  assert.ok(typeof address === 'object' && address !== null)
  const service = start(t, { PORT: String(address.port) })
  assert.deepEqual(await service.exited, [1, null])
  assert.deepEqual(service.stderr, [`Cannot listen on 127.0.0.1 port ${address.port}: the port is in use`])
})

test('where it listens is one line, with the address', async (t) => {
  const service = start(t, { API_SECRET_KEY: 'key-one' })
  await service.logged('ready')
  assert.deepEqual(
    service.log.map(({ msg }) => msg),
    ['starting', 'listening', 'ready']
  )
})

test('SIGTERM lets what is in progress finish, takes nothing new, and ends with 0', async (t) => {
  const service = start(t, { API_SECRET_KEY: 'key-one', STAND_IN: 'slow' })
  const { address } = await service.logged('listening')
  await service.logged('ready')
  const url = `${String(address)}/v1/encode?query=hello`
  const inProgress = fetch(url, { headers: { authorization: 'Bearer key-one' } })
  await service.logged('encoding')
  service.child.kill('SIGTERM')
  await service.logged('stopping')
  await assert.rejects(fetch(url))
  service.child.kill('SIGWINCH')
  const reply = await inProgress
  assert.equal(reply.status, 200)
  assert.match(await reply.text(), /^\{"query":"hello"/)
  assert.deepEqual(await service.exited, [0, null])
  assert.equal(service.log.at(-1)?.['msg'], 'stopped')
})

test('what does not finish within the deadline is killed', async (t) => {
  const service = start(t, { API_SECRET_KEY: 'key-one', STAND_IN: 'stuck', SHUTDOWN_DEADLINE_SECONDS: '1' })
  const { address } = await service.logged('listening')
  await service.logged('ready')
  const inProgress = fetch(`${String(address)}/v1/encode?query=a`, { headers: { authorization: 'Bearer key-one' } })
  await service.logged('encoding')
  service.child.kill('SIGTERM')
  await assert.rejects(inProgress)
  assert.deepEqual(await service.exited, [null, 'SIGKILL'])
  assert.equal(service.log.at(-1)?.['msg'], 'requests were still in progress at the deadline: killed')
})

test('a model that does not load leaves the process alive and readiness red', async (t) => {
  const service = start(t, { API_SECRET_KEY: 'key-one', STAND_IN: 'broken' })
  const { address } = await service.logged('listening')
  await service.logged('the model could not be loaded')
  assert.equal((await fetch(`${String(address)}/health/live`)).status, 200)
  assert.equal((await fetch(`${String(address)}/health/ready`)).status, 503)
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
})

test('the start is logged with its settings and without their secrets', async (t) => {
  const service = start(t, { API_SECRET_KEY: 'hush-hush', JWT_SECRET_KEY: 'short' })
  const line = await service.logged('starting')
  const config = JSON.stringify(line['config'])
  assert.match(config, /"apiSecretKey":"\[redacted\]"/)
  assert.match(config, /"maxSentences":2048/)
  await service.logged('JWT_SECRET_KEY is weak: under 32 characters')
  assert.ok(!JSON.stringify(service.log).includes('hush-hush'))
  assert.deepEqual(service.stderr, [])
})

test('quotes around keys, which some files of settings keep, are warned of without the keys', async (t) => {
  const service = start(t, {
    API_SECRET_KEY: '"one-key,other-key"',
    JWT_SECRET_KEY: "it's-a-secret-of-more-than-32-characters"
  })
  const line = await service.logged('API_SECRET_KEY has quotes, which are part of it')
  assert.equal(line['level'], 40)
  await service.logged('listening')
  assert.ok(!JSON.stringify(service.log).includes('other-key'))
  assert.ok(!JSON.stringify(service.log).includes('JWT_SECRET_KEY has quotes'))
})

test('a store of jobs that cannot be opened is said in one plain line', async (t) => {
  const service = start(t, { API_SECRET_KEY: 'key', DATA_DIR: '/dev/null/data' })
  assert.deepEqual(await service.exited, [1, null])
  assert.equal(service.stderr.length, 1)
  assert.match(
    service.stderr[0]!,
    /^Cannot open the store of jobs: a file is where its folder should be \(ENOTDIR: .*\/dev\/null\/data/
  )
})

test('data that is damaged is said in one plain line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'service-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'mentors.db'), 'version https://git-lfs.github.com/spec/v1\n'.repeat(40))
  const service = start(t, { API_SECRET_KEY: 'key', DATA_DIR: folder })
  assert.deepEqual(await service.exited, [1, null])
  const path = join(folder, 'mentors.db')
  assert.deepEqual(service.stderr, [
    `Cannot open the database ${path}: it is damaged, or no SQLite database (file is not a database)`
  ])
})

test('a job that was accepted before a stop is done after the next start', async (t) => {
  const first = start(t, { API_SECRET_KEY: 'key', JOBS_CONCURRENCY: '0' })
  const headers = { authorization: 'Bearer key', 'content-type': 'application/json' }
  const origin = String((await first.logged('listening'))['address'])
  const body = JSON.stringify({ type: 'encode', input: { sentences: ['hello world'] } })
  const posted = await fetch(`${origin}/v1/jobs`, { method: 'POST', headers, body })
  assert.equal(posted.status, 202)
  const { resultUrl }: { resultUrl: string } = JSON.parse(await posted.text())
  await first.logged('ready')
  first.child.kill('SIGTERM')
  assert.deepEqual(await first.exited, [0, null])

  const second = start(t, { API_SECRET_KEY: 'key', DATA_DIR: first.dataDir, JOBS_CONCURRENCY: '1' })
  const again = String((await second.logged('listening'))['address'])
  await second.logged('ready')
  // Jobs are done in the order in which they came: when this one has ended, so has the one from before the stop.
  const waited = await fetch(`${again}/v1/jobs`, { method: 'POST', headers: { ...headers, prefer: 'wait=30' }, body })
  assert.equal(waited.status, 200)
  const result = await fetch(again + resultUrl, { headers })
  assert.equal(result.status, 200)
  assert.match(await result.text(), /^\{"data":\[\{"original":"hello world","encoded":\[/)
  second.child.kill('SIGTERM')
  assert.deepEqual(await second.exited, [0, null])
})

test('what the service keeps is for its own user alone, whatever the umask', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'open-'))
  const before = process.umask(0)
  const service = start(t, { API_SECRET_KEY: 'key', DATA_DIR: join(folder, 'data') })
  process.umask(before)
  await service.logged('ready')
  const { dataDir } = service
  const names = readdirSync(dataDir, { recursive: true }).map(String)
  assert.ok(names.includes('sbert-service.db') && names.includes('mentors.db') && names.includes('mentors.db-wal'))
  assert.equal(statSync(dataDir).mode & 0o777, 0o700)
  for (const name of names) {
    const { mode } = statSync(join(dataDir, name))
    assert.equal(mode & 0o077, 0, `${name} ${mode.toString(8)}`)
  }
  // Files of an earlier version, which all could read.
  service.child.kill('SIGKILL')
  await service.exited
  for (const name of names.filter((file) => file.includes('.db'))) chmodSync(join(dataDir, name), 0o644)
  const second = start(t, { API_SECRET_KEY: 'key', DATA_DIR: dataDir })
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await second.logged('ready')
  for (const name of ['sbert-service.db', 'sbert-service.db-wal', 'mentors.db', 'mentors.db-shm']) {
    assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name)
  }
})
