/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, isLoopback, loadConfig, redactConfig, type Environment } from '../../src/config/load-config.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import { CONFIGURATION_PAGE, withSettingsTable } from '../../tools/configuration-doc.ts'

function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  return []
}

test('loadConfig() of an empty environment gives the defaults, frozen', () => {
  const config = loadConfig({})
  assert.equal(config.port, 8080)
  assert.equal(config.host, '127.0.0.1')
  assert.deepEqual(config.apiSecretKey, [])
  assert.equal(config.modelPrecision, 'int8')
  assert.equal(config.sentryDsn, undefined)
  assert.ok(Object.isFrozen(config))
})

test('loadConfig() reads numbers, choices and lists, and takes an empty value for none', () => {
  const config = loadConfig({ PORT: ' 9000 ', MODEL_PRECISION: 'fp32', API_SECRET_KEY: 'one, two,one', LOG_LEVEL: '' })
  assert.equal(config.port, 9000)
  assert.equal(config.modelPrecision, 'fp32')
  assert.deepEqual(config.apiSecretKey, ['one', 'two'])
  assert.equal(config.logLevel, 'info')
})

test('loadConfig() lists every wrong value at once, and repeats none of them', () => {
  const wrong = {
    PORT: '80a',
    MODEL_PRECISION: 'int4-wrong',
    SENTRY_DSN: 'not-an-address',
    CORS_ORIGIN: 'example.org/path',
    API_SECRET_KEY: 'has space',
    MAX_SENTENCES: '0'
  }
  assert.deepEqual(
    problemsOf(wrong).map((problem) => problem.split(':')[0]),
    ['PORT', 'API_SECRET_KEY', 'MODEL_PRECISION', 'SENTRY_DSN', 'CORS_ORIGIN', 'MAX_SENTENCES']
  )
  const message = new ConfigError(problemsOf(wrong)).message
  assert.match(message, /^Cannot start: 6 wrong setting\(s\)\n {2}PORT: want an integer, 0 to 65535\n/)
  for (const value of Object.values(wrong).filter((given) => given !== '0')) assert.ok(!message.includes(value), value)
})

test('loadConfig() refuses what looks like a number to JavaScript alone', () => {
  for (const PORT of ['0x50', '1e3', '-1', '65536', '80.5', 'Infinity', '99999999999999999999']) {
    assert.deepEqual(problemsOf({ PORT }), ['PORT: want an integer, 0 to 65535'])
  }
})

test('loadConfig() reads what is on or off by either pair of words, the same in every such setting', () => {
  const flags = Object.entries(SETTINGS).flatMap(([name, { type }]) => (type === 'boolean' ? [name] : []))
  assert.deepEqual(flags, ['OTEL_SDK_DISABLED', 'WEBHOOK_ALLOW_PRIVATE', 'SEMANTIC_DEDUP'])
  for (const [given, expected] of Object.entries({ true: true, yes: true, false: false, no: false })) {
    const { webhookAllowPrivate, semanticDedup } = loadConfig(Object.fromEntries(flags.map((name) => [name, given])))
    assert.deepEqual([webhookAllowPrivate, semanticDedup], [expected, expected], given)
  }
  assert.deepEqual(problemsOf({ SEMANTIC_DEDUP: 'on' }), ['SEMANTIC_DEDUP: want true or false'])
  // A choice between two words for on and off would be a third way to say it.
  for (const [name, { bounds, type }] of Object.entries(SETTINGS)) {
    if (type === 'choice') assert.doesNotMatch(bounds, /`(?:yes|no|true|false|on|off)`/, name)
  }
})

test('loadConfig() refuses a public address without any key or JWT secret', () => {
  for (const HOST of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org']) {
    assert.match(problemsOf({ HOST })[0] ?? '', /^HOST: not a loopback address/)
    assert.deepEqual(problemsOf({ HOST, API_SECRET_KEY: 'key' }), [])
    assert.deepEqual(problemsOf({ HOST, JWT_SECRET_KEY: 'secret' }), [])
  }
  for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.deepEqual(problemsOf({ HOST }), [])
})

test('loadConfig() wants to know where mentors of GraphQL are, and both halves of the secret header', () => {
  assert.throws(
    () => loadConfig({ MENTOR_SOURCE: 'graphql' }),
    /GRAPHQL_ENDPOINT: must be set with MENTOR_SOURCE=graphql/
  )
  assert.throws(
    () => loadConfig({ SECRET_HEADER_NAME: 'x-secret' }),
    /SECRET_HEADER_VALUE: one is set without the other/
  )
  assert.throws(
    () => loadConfig({ SECRET_HEADER_NAME: 'Authorization', SECRET_HEADER_VALUE: 'x' }),
    /SECRET_HEADER_NAME: want the name of a header that is not sent anyway/
  )
  const { graphqlEndpoint } = loadConfig({ MENTOR_SOURCE: 'graphql', GRAPHQL_ENDPOINT: 'http://127.0.0.1:1/graphql' })
  assert.equal(graphqlEndpoint, 'http://127.0.0.1:1/graphql')
})

test('isLoopback() knows addresses that cannot be reached from outside', () => {
  assert.ok(isLoopback('127.0.0.1'))
  assert.ok(!isLoopback('128.0.0.1'))
})

test('redactConfig() shows of a secret only that it is set', () => {
  const config = loadConfig({
    API_SECRET_KEY: 'hush',
    SENTRY_DSN: 'https://public@sentry.example.org/1',
    WEBHOOK_SECRET: 'hush-hush-hush-hush',
    SECRET_HEADER_NAME: 'x-secret',
    SECRET_HEADER_VALUE: 'hush',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hush',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=hush'
  })
  const shown = redactConfig(config)
  assert.equal(shown['apiSecretKey'], '[redacted]')
  assert.equal(shown['sentryDsn'], '[redacted]')
  assert.equal(shown['webhookSecret'], '[redacted]')
  assert.equal(shown['secretHeaderValue'], '[redacted]')
  assert.equal(shown['otelExporterOtlpHeaders'], '[redacted]')
  assert.equal(shown['otelExporterOtlpTracesHeaders'], '[redacted]')
  assert.equal(shown['jwtSecretKey'], undefined)
  assert.equal(shown['port'], 8080)
  const secretNames = Object.entries(SETTINGS).filter(([, setting]) => setting.isSecret)
  assert.equal(secretNames.length, 7)
})

test('what a text in parentheses names as a setting is one', async () => {
  const source = join(import.meta.dirname, '../../src')
  const found = new Set<string>()
  for (const name of await readdir(source, { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const code = (await readFile(join(source, name), 'utf8')).replaceAll(/^ *(?:\/\/|\/?\*).*$/gm, '')
    for (const [text] of code.matchAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\\n]|\\.)*`/g)) {
      const written = text.replaceAll(/\$\{[^}]*\}/g, '')
      for (const [, setting = ''] of written.matchAll(/\(([A-Z]+(?:_[A-Z]+)+)\)/g)) found.add(setting)
    }
  }
  assert.ok(found.has('MAX_TRAINING_ROWS'))
  assert.deepEqual(
    [...found].filter((name) => !(name in SETTINGS)),
    []
  )
})

test('docs/configuration.md shows the settings that the code has', async () => {
  const page = await readFile(CONFIGURATION_PAGE, 'utf8')
  assert.equal(page, withSettingsTable(page), 'run npm exec -- node tools/configuration-doc.ts')
})

test('the areas of settings are all in the table, and none declares what another does', async () => {
  const folder = new URL('../../src/config/settings/', import.meta.url)
  const areas = await Promise.all(
    (await readdir(folder)).map(async (file): Promise<Record<string, object>> => import(new URL(file, folder).href))
  )
  const names = areas.flatMap((area) => Object.values(area).flatMap((settings) => Object.keys(settings)))
  assert.deepEqual(names.toSorted(), Object.keys(SETTINGS).toSorted())
})
