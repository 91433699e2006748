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

const TARGETS = ['service', 'worker', 'function_amd64', 'function_arm64']

test('images are signed by their digests, with the bill of materials, before a stage gets them', async () => {
  const deploy = new Map(await workflows()).get('deploy.yml') ?? ''
  const [build = '', stages = ''] = deploy.slice(deploy.indexOf('\n  build:')).split('\n  dev:')
  const order = ['imagetools create', 'make sbom', 'cosign sign', 'cosign attest', 'create-application-version']
  assertInOrder(build, order)
  const signed = /IMAGES: >-\n((?: {12}.*\n)+)/.exec(build)?.[1] ?? ''
  for (const target of TARGETS) {
    assert.ok(signed.includes(`steps.join.outputs.${target} }}`), target)
    // As often as there are stages.
    assert.equal(stages.split(`${target}: \${{ needs.build.outputs.${target} }}`).length, 4, target)
  }
  assert.match(build, /echo "\$target=\$REPOSITORY@\$digest"/)
  assert.match(build, /echo "function_\$architecture=\$REPOSITORY@\$digest"/)
  assert.match(stages, /needs: build/)
})

test('every target of the Dockerfile is built, without an index of its own, which Lambda does not take', async () => {
  const deploy = new Map(await workflows()).get('deploy.yml') ?? ''
  const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8')
  const built = /for target in ([\w ]+); do\n +tag=\$label-\$target-\$ARCHITECTURE/.exec(deploy)?.[1]?.split(' ') ?? []
  const targets = [...dockerfile.matchAll(/^FROM runtime AS (\w+)$/gm)].map(([, target]) => target)
  assert.deepEqual(new Set(built), new Set(targets))
  for (const [line] of deploy.matchAll(/docker build .*$/gm)) assert.match(line, /--provenance=false/)
})

test('a stage verifies what it gets before anything of it changes, and accepts the signature of main alone', async () => {
  const stage = new Map(await workflows()).get('stage.yml') ?? ''
  assertInOrder(stage, [
    'cosign verify "${signer',
    'cosign verify-attestation',
    'terraform apply',
    'run --silent deploy'
  ])
  assert.match(stage, /SIGNER: .*\/\.github\/workflows\/deploy\.yml@refs\/heads\/main$/m)
  const verified = /IMAGES: (.*)$/m.exec(stage)?.[1] ?? ''
  const inputs = [...stage.matchAll(/^ {6}(\w+):\n {8}description: .*\n/gm)].map(([, name = '']) => name)
  const images = inputs.filter((name) => name !== 'label')
  assert.deepEqual(images, TARGETS)
  for (const image of images) assert.ok(verified.includes(`inputs.${image} }}`), image)
})

function assertInOrder(text: string, steps: readonly string[]): void {
  const places = steps.map((step) => text.indexOf(step))
  for (const [index, place] of places.entries()) assert.ok(place > (places[index - 1] ?? -1), steps[index])
}
