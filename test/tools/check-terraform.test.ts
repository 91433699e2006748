/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../tools/check-terraform.sh', import.meta.url))

/** Runs a copy of the script, so that its logs stay apart, with stand-ins for Terraform and Node.js. @param failing the command that fails */
async function checkTerraform(t: TestContext, checks: readonly string[], failing: string) {
  const folder = await mkdtemp(join(tmpdir(), 'check-terraform-'))
  t.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'tools'))
  await copyFile(SCRIPT, join(folder, 'tools/check-terraform.sh'))
  const stub = `#!/bin/sh
echo "$*" >>'${folder}/calls'
case " $* " in *' ${failing} '*) echo 'no good' >&2; exit 1 ;; esac
`
  // A Python of its own is a folder with a copy of the stand-in.
  const python = `${stub}if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi\n`
  await writeFile(join(folder, 'python3'), python, { mode: 0o755 })
  for (const program of ['terraform', 'node']) await writeFile(join(folder, program), stub, { mode: 0o755 })
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` }
  const { promise, resolve } = Promise.withResolvers<{ code: number; out: string }>()
  const child = execFile('bash', [join(folder, 'tools/check-terraform.sh'), ...checks], { env }, (_, out, err) => {
    resolve({ code: child.exitCode ?? -1, out: out + err })
  })
  const { code, out } = await promise
  const calls = (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n')
  return { code, out, calls }
}

for (const failing of ['init', 'validate', 'test', 'fmt', 'pip', 'test/terraform/promises.ts']) {
  test(`check-terraform.sh fails when ${failing} does, whatever comes after it`, async (t) => {
    const { code, out } = await checkTerraform(t, ['format', 'stacks'], failing)
    assert.equal(code, 1)
    assert.match(out, failing === 'fmt' ? /format +FAILED/ : /stacks +FAILED/)
    assert.match(out, failing === 'fmt' ? /stacks +passed/ : /format +passed/)
    assert.match(out, /no good/, 'the log is shown')
  })
}

test('check-terraform.sh goes on to each stack, and passes when nothing fails', async (t) => {
  const { code, out, calls } = await checkTerraform(t, ['stacks'], 'nothing')
  assert.equal(code, 0, out)
  assert.match(out, /^stacks +passed/m)
  for (const stack of ['terraform', 'terraform/account', 'terraform/endpoints']) {
    for (const command of ['init', 'validate', 'test']) {
      assert(
        calls.some((call) => call.startsWith(`-chdir=${stack} ${command} `)),
        `${command} of ${stack}`
      )
    }
  }
})

test('check-terraform.sh knows no check of another name', async (t) => {
  const { code, out } = await checkTerraform(t, ['stakcs'], 'nothing')
  assert.equal(code, 2)
  assert.match(out, /There is no check stakcs: want one of format checkov workflows programs stacks applied faults/)
})

function isAsked({ calls }: { calls: readonly string[] }): boolean {
  return calls.some((call) => call.includes('test/terraform/faults.ts'))
}

test('check-terraform.sh tests itself only when it is asked to', async (t) => {
  // checkov and actionlint are no stand-ins here, and fail at once.
  const whole = await checkTerraform(t, ['format', 'programs', 'stacks', 'applied'], 'nothing')
  assert(!isAsked(whole))
  const faults = await checkTerraform(t, ['faults'], 'nothing')
  assert.equal(faults.code, 0, faults.out)
  assert(isAsked(faults))
})
