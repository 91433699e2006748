/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../tools/follow-logs.sh', import.meta.url))

/** Runs the script with a stand-in for the AWS CLI, which prints how it is called, and fails for one log. */
async function followLogs(t: TestContext, args: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'logs-'))
  t.after(() => rm(folder, { recursive: true }))
  const stub = '#!/bin/sh\ncase "$3" in /sbert-service-gone/*) echo "no such log" >&2; exit 254 ;; esac\necho "$*"\n'
  await writeFile(join(folder, 'aws'), stub, { mode: 0o755 })
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` }
  const { promise, resolve } = Promise.withResolvers<{ code: number; lines: string[] }>()
  const child = execFile('bash', [SCRIPT, ...args], { env }, (_, out, err) => {
    resolve({ code: child.exitCode ?? -1, lines: (out + err).trim().split('\n').toSorted() })
  })
  return promise
}

test('follow-logs.sh follows web tier and workers, each line with its tier', async (t) => {
  const { code, lines } = await followLogs(t, ['dev'])
  assert.equal(code, 0)
  const args = '--follow --since 10m --format short'
  const web = '/aws/elasticbeanstalk/sbert-service-dev/var/log/eb-docker/containers/eb-current-app/stdouterr.log'
  assert.deepEqual(lines, [`web logs tail ${web} ${args}`, `worker logs tail /sbert-service-dev/worker ${args}`])
})

test('follow-logs.sh follows what is asked for, and fails with a log that is not there', async (t) => {
  assert.match((await followLogs(t, ['dev', 'canary'])).lines.join(), /^canary logs tail \/sbert-service-dev\/canary /)
  assert.match(
    (await followLogs(t, ['dev', 'function'])).lines.join(),
    /^function logs tail \/sbert-service-dev\/function /
  )
  const { code, lines } = await followLogs(t, ['gone', 'worker'])
  assert.equal(code, 254)
  assert.deepEqual(lines, ['no such log'])
})

test('follow-logs.sh says what is wrong with a stage or tier', async (t) => {
  for (const [args, message] of [
    [[], /want the name of a stage, not ""/],
    [['Dev; rm'], /want the name of a stage, not "Dev; rm"/],
    [['dev', 'db'], /want web, worker, function, canary or deploy, not "db"/]
  ] as const) {
    const { code, lines } = await followLogs(t, args)
    assert.equal(code, 2)
    assert.match(lines.join(), message)
  }
})
