/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { test } from 'node:test'

const WORKFLOWS = new URL('../../.github/workflows/', import.meta.url)

async function workflows(): Promise<(readonly [name: string, text: string])[]> {
  const names = await readdir(WORKFLOWS)
  return Promise.all(names.map(async (name) => [name, await readFile(new URL(name, WORKFLOWS), 'utf8')] as const))
}

test('every workflow names its shell, since only then a command before a pipe can fail its step', async () => {
  for (const [name, text] of await workflows()) assert.match(text, /^defaults:\n {2}run:\n {4}shell: bash$/m, name)
})

test('a stage asks for one approval, and a stage that waits for it holds up no other', async () => {
  const files = new Map(await workflows())
  const stage = files.get('stage.yml') ?? ''
  assert.equal(stage.match(/^ {4}environment:/gm)?.length, 1)
  assert.match(stage, /^ {6}group: deploy-\$\{\{ inputs\.stage \}\}$/m)
  assert.doesNotMatch(files.get('deploy.yml') ?? '', /^concurrency:/m)
})

test('no command of a workflow hides in another’s arguments, where its failure fails nothing', async () => {
  for (const [name, text] of await workflows()) assert.doesNotMatch(text, /echo "[^"]*\$\(/, name)
})

test('images are built for both architectures on machines of their kind, then joined under one digest', async () => {
  const deploy = new Map(await workflows()).get('deploy.yml') ?? ''
  const built = deploy.matchAll(/\{ architecture: (\w+), runner: ([\w.-]+) \}/g)
  const runners = Object.fromEntries([...built].map(([, architecture, runner]) => [architecture, runner]))
  assert.deepEqual(runners, { amd64: 'ubuntu-24.04', arm64: 'ubuntu-24.04-arm' })
  const joined = deploy.match(/imagetools create --tag "\$REPOSITORY:\$tag"(.*)$/m)?.[1] ?? ''
  for (const architecture of Object.keys(runners)) assert.ok(joined.includes(`:$tag-${architecture}"`), architecture)
})

test('every action is pinned by its commit, and says which version that is', async () => {
  for (const [name, text] of await workflows()) {
    for (const [line] of text.matchAll(/^ *(?:- )?uses: (?!\.\/).*$/gm)) {
      assert.match(line, /uses: [\w./-]+@[0-9a-f]{40} # v\d+(?:\.\d+)*$/, `${name}: ${line}`)
    }
  }
})

test('images are signed by their digests, with the bill of materials, before a stage gets them', async () => {
  const deploy = new Map(await workflows()).get('deploy.yml') ?? ''
  const [build = '', stages = ''] = deploy.slice(deploy.indexOf('\n  build:')).split('\n  dev:')
  const order = ['imagetools create', 'make sbom', 'cosign sign', 'cosign attest', 'create-application-version']
  const places = order.map((step) => build.indexOf(step))
  assert.deepEqual(
    places.map((place) => place > 0),
    order.map(() => true)
  )
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b)
  )
  for (const target of ['service', 'worker']) assert.ok(build.includes(`steps.join.outputs.${target} }}`), target)
  assert.match(build, /echo "\$target=\$REPOSITORY@\$digest"/)
  assert.match(stages, /needs: build/)
})
