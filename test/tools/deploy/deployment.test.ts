/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  deploy,
  DeployError,
  rollBack,
  type Journal,
  type Platform,
  type Running
} from '../../../tools/deploy/deployment.ts'

const OLD = { label: 'old', task: 'worker:1', revision: 'r-old', function: '1' } as const
const VERSION = {
  label: 'new',
  serviceImage: 'service@new',
  workerImage: 'worker@new',
  functionImage: 'function@new'
} as const

/** The process ends here, as by SIGKILL: nothing of it runs on. */
class Killed extends Error {}

/** A stage in memory. What ECS and Elastic Beanstalk do by themselves happens while they are waited for. */
class FakeStage implements Platform {
  web = 'old'
  task = 'worker:1'
  revision: string | undefined = OLD.revision
  functionLive = '1'
  journal: Journal | undefined
  readonly kept = new Set<string>()
  readonly tasks = new Map([['worker@old', 'worker:1']])
  /** What goes wrong. */
  broken: 'workers' | 'web' | 'function' | 'check' | 'everything' | undefined
  /** Calls until the process is killed. */
  callsLeft = Number.POSITIVE_INFINITY
  callCount = 0
  /** What the edge could share at each moment: version that answers, and the name it is shared under. */
  readonly shared: [web: string, revision: string | undefined][] = []

  async readJournal(): Promise<Journal | undefined> {
    this.#call()
    return this.journal
  }
  async writeJournal(journal: Journal): Promise<void> {
    this.#call()
    this.journal = journal
  }
  async running(): Promise<Running> {
    this.#call()
    return { label: this.web, task: this.task, revision: this.revision }
  }
  async keepImage(image: string, tag: string): Promise<void> {
    this.#call()
    this.kept.add(`${image} ${tag}`)
  }
  async taskWith(image: string): Promise<string> {
    this.#call()
    const known = this.tasks.get(image) ?? `worker:${this.tasks.size + 1}`
    this.tasks.set(image, known)
    return known
  }
  async startWorkers(task: string): Promise<void> {
    this.#call()
    this.task = task
  }
  async waitForWorkers(task: string): Promise<void> {
    this.#call()
    if (this.broken === 'everything') throw new DeployError('the workers do not start')
    if (this.broken === 'workers' && task !== OLD.task) {
      this.task = OLD.task
      throw new DeployError('ECS put other workers back')
    }
  }
  async startWeb(label: string): Promise<void> {
    this.#call()
    this.web = label
  }
  async waitForWeb(label: string): Promise<void> {
    this.#call()
    if (this.broken === 'web' && label !== OLD.label) {
      this.web = OLD.label
      throw new DeployError('Elastic Beanstalk put another version back')
    }
  }
  async functionVersion(): Promise<string> {
    this.#call()
    return this.functionLive
  }
  async publishFunction(image: string): Promise<string> {
    this.#call()
    return image === 'function@new' ? '2' : '1'
  }
  async startFunction(version: string): Promise<void> {
    this.#call()
    if (this.broken === 'function' && version !== OLD.function) throw new DeployError('the function does not answer')
    this.functionLive = version
  }
  async setRevision(revision: string | undefined): Promise<void> {
    this.#call()
    this.revision = revision
  }
  async askRevision(): Promise<string> {
    this.#call()
    return `r-${this.web}`
  }
  async check(): Promise<void> {
    this.#call()
    if (this.broken === 'check') throw new DeployError('the stage does not keep its promises')
  }

  #call(): void {
    if (this.callsLeft === 0) throw new Killed()
    this.callsLeft -= 1
    this.callCount += 1
    this.shared.push([this.web, this.revision])
  }
}

function assertRuns(stage: FakeStage, version: 'old' | 'new'): void {
  const task = version === 'old' ? OLD.task : stage.tasks.get('worker@new')
  const functionVersion = version === 'old' ? OLD.function : '2'
  assert.deepEqual(
    [stage.web, stage.task, stage.revision, stage.functionLive],
    [version, task, `r-${version}`, functionVersion]
  )
}

function run(stage: FakeStage): Promise<string> {
  return deploy(stage, VERSION, false, () => undefined)
}

/** One version's vectors under the other's name: what must never be cached. */
function assertNothingMixed(stage: FakeStage): void {
  for (const [web, revision] of stage.shared)
    assert(revision === undefined || revision === `r-${web}`, `${web} under ${revision}`)
}

test('deploy() brings in web tier, workers, function and revision, and keeps their images', async () => {
  const stage = new FakeStage()
  assert.equal(await run(stage), 'deployed')
  assertRuns(stage, 'new')
  assertNothingMixed(stage)
  assert.deepEqual([...stage.kept], ['service@new new-service', 'worker@new new-worker', 'function@new new-function'])
  assert.deepEqual(stage.journal, { status: 'done', label: 'new', before: OLD })
})

for (const broken of ['workers', 'web', 'function', 'check'] as const) {
  test(`deploy() takes all of the stage back when ${broken} fails, the edge’s revision too`, async () => {
    const stage = new FakeStage()
    stage.broken = broken
    assert.equal(await run(stage), 'rolled back')
    assertRuns(stage, 'old')
    assertNothingMixed(stage)
    assert.equal(stage.journal?.status, 'rolled back')
  })
}

test('deploy() says so when the stage does not go back either, and still knows the way back', async () => {
  const stage = new FakeStage()
  stage.broken = 'everything'
  await assert.rejects(run(stage), DeployError)
  assert.deepEqual(stage.journal, { status: 'open', label: 'new', before: OLD })
  stage.broken = undefined
  await rollBack(stage, () => undefined)
  assertRuns(stage, 'old')
})

for (const broken of [undefined, 'workers', 'web', 'function', 'check'] as const) {
  test(`deploy() goes on after a kill at any point, ${broken === undefined ? 'to the new version' : `or back when ${broken} fails`}`, async () => {
    const whole = new FakeStage()
    whole.broken = broken
    await run(whole)
    for (let calls = 0; calls < whole.callCount; calls += 1) {
      const stage = new FakeStage()
      stage.broken = broken
      stage.callsLeft = calls
      await assert.rejects(run(stage), Killed, `killed after ${calls} calls`)
      stage.callsLeft = Number.POSITIVE_INFINITY
      const outcome = await run(stage)
      assert.equal(outcome, broken === undefined ? 'deployed' : 'rolled back')
      assertRuns(stage, broken === undefined ? 'new' : 'old')
      assertNothingMixed(stage)
      assert.equal(stage.tasks.size, 2, 'one task definition, however often it was begun')
    }
  })
}

test('deploy() after one that was killed goes back to what ran before both', async () => {
  const stage = new FakeStage()
  stage.callsLeft = 12
  await assert.rejects(run(stage), Killed)
  stage.callsLeft = Number.POSITIVE_INFINITY
  stage.broken = 'check'
  const third = { label: 'third', serviceImage: 'service@third', workerImage: 'worker@third' }
  assert.equal(await deploy(stage, third, false, () => undefined), 'rolled back')
  assertRuns(stage, 'old')
})

test('deploy() leaves a stage without a function without one', async () => {
  const stage = new FakeStage()
  const { functionImage: _, ...version } = VERSION
  stage.functionVersion = () => Promise.reject(new Error('there is no function'))
  assert.equal(await deploy(stage, version, false, () => undefined), 'deployed')
  await rollBack(stage, () => undefined)
  assert.equal(stage.web, 'old')
})

test('deploy() keeps answers shared where the model is the same', async () => {
  const stage = new FakeStage()
  await deploy(stage, VERSION, true, () => undefined)
  assert(stage.shared.every(([, revision]) => revision !== undefined))
})

test('rollBack() takes back what deploy() brought in, and knows of no deployment it has not seen', async () => {
  const stage = new FakeStage()
  await assert.rejects(
    rollBack(stage, () => undefined),
    DeployError
  )
  await run(stage)
  await rollBack(stage, () => undefined)
  assertRuns(stage, 'old')
  assertNothingMixed(stage)
})
