/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeployError } from '../../../tools/deploy/deployment.ts'
import { finishSwap, swap, swapBack, type SwapPlatform, type WebEnvironment } from '../../../tools/deploy/swap.ts'

const CNAME = 'sbert.us-east-1.elasticbeanstalk.com'

/** The process ends here, as by SIGKILL. */
class Killed extends Error {}

interface Changing {
  id: string
  name: string
  label: string
  cname: string
  pausesLeft: number
}

/** Elastic Beanstalk in memory: what is begun takes two pauses. */
class FakeBeanstalk implements SwapPlatform {
  readonly all: Changing[] = [{ id: 'e-1', name: 'sbert', label: 'old', cname: CNAME, pausesLeft: 0 }]
  broken: 'health' | 'answers' | undefined
  managed = new Set<string>()
  callsLeft = Number.POSITIVE_INFINITY
  callCount = 0
  exchangeCount = 0

  async environments(): Promise<readonly WebEnvironment[]> {
    this.#call()
    return this.all.map(({ pausesLeft, ...one }) => ({
      ...one,
      isReady: pausesLeft === 0,
      isHealthy: pausesLeft === 0 && !(this.broken === 'health' && one.label === 'new')
    }))
  }
  async isManaged({ name }: WebEnvironment): Promise<boolean> {
    this.#call()
    return this.managed.has(name)
  }
  async clone(_of: WebEnvironment, name: string, label: string): Promise<void> {
    this.#call()
    this.all.push({
      id: `e-${this.all.length + 1}`,
      name,
      label,
      cname: `${name}.x.elasticbeanstalk.com`,
      pausesLeft: 2
    })
  }
  async ask({ name }: WebEnvironment): Promise<void> {
    this.#call()
    if (this.broken === 'answers') throw new DeployError(`${name} does not answer`)
  }
  async exchangeNames(one: WebEnvironment, other: WebEnvironment): Promise<void> {
    this.#call()
    const [first, second] = [one, other].map(({ id }) => this.all.find((found) => found.id === id))
    assert(first !== undefined && second !== undefined)
    assert.equal(first.pausesLeft + second.pausesLeft, 0, 'Elastic Beanstalk takes no change during another')
    ;[first.cname, second.cname] = [second.cname, first.cname]
    first.pausesLeft = 2
    second.pausesLeft = 2
    this.exchangeCount += 1
  }
  async terminate({ id }: WebEnvironment): Promise<void> {
    this.#call()
    this.all.splice(
      this.all.findIndex((found) => found.id === id),
      1
    )
  }
  async pause(): Promise<void> {
    this.#call()
    for (const one of this.all) one.pausesLeft = Math.max(0, one.pausesLeft - 1)
  }

  get liveLabel(): string | undefined {
    return this.all.find(({ cname }) => cname === CNAME)?.label
  }

  #call(): void {
    if (this.callsLeft === 0) throw new Killed()
    this.callsLeft -= 1
    this.callCount += 1
  }
}

function ignore(): void {
  // What a swap tells is not looked at here.
}

test('swap() gives the callers’ name to a clone with the new version; swapBack() gives it back, finishSwap() ends the other', async () => {
  const beanstalk = new FakeBeanstalk()
  await swap(beanstalk, CNAME, 'new', ignore)
  assert.deepEqual([beanstalk.liveLabel, beanstalk.all.length], ['new', 2])
  await swapBack(beanstalk, CNAME, 'old', ignore)
  assert.equal(beanstalk.liveLabel, 'old')
  await assert.rejects(finishSwap(beanstalk, CNAME, 'old', ignore), /callers reach it/)
  await finishSwap(beanstalk, CNAME, 'new', ignore)
  assert.deepEqual(
    beanstalk.all.map(({ label }) => label),
    ['old']
  )
  await assert.rejects(swapBack(beanstalk, CNAME, 'new', ignore), /no environment runs new any more/)
})

for (const broken of ['health', 'answers'] as const) {
  test(`swap() leaves callers where they are when the new version fails in its ${broken}`, async () => {
    const beanstalk = new FakeBeanstalk()
    beanstalk.broken = broken
    await assert.rejects(swap(beanstalk, CNAME, 'new', ignore), DeployError)
    assert.deepEqual([beanstalk.liveLabel, beanstalk.exchangeCount], ['old', 0])
  })
}

test('swap() and swapBack() go on after a kill at any point, and exchange names once', async () => {
  const whole = new FakeBeanstalk()
  await swap(whole, CNAME, 'new', ignore)
  for (let calls = 0; calls < whole.callCount; calls += 1) {
    const beanstalk = new FakeBeanstalk()
    beanstalk.callsLeft = calls
    await assert.rejects(swap(beanstalk, CNAME, 'new', ignore), Killed, `killed after ${calls} calls`)
    beanstalk.callsLeft = Number.POSITIVE_INFINITY
    await swap(beanstalk, CNAME, 'new', ignore)
    assert.deepEqual([beanstalk.liveLabel, beanstalk.all.length, beanstalk.exchangeCount], ['new', 2, 1])
    for (let left = 0; beanstalk.liveLabel !== 'old'; left += 1) {
      beanstalk.callsLeft = left
      await swapBack(beanstalk, CNAME, 'old', ignore).catch((error: unknown) => assert(error instanceof Killed))
    }
    beanstalk.callsLeft = Number.POSITIVE_INFINITY
    await swapBack(beanstalk, CNAME, 'old', ignore)
    assert.deepEqual([beanstalk.liveLabel, beanstalk.exchangeCount], ['old', 2])
  }
})

test('swap() refuses a stage of Terraform, whose callers come by the balancer', async () => {
  const beanstalk = new FakeBeanstalk()
  beanstalk.managed.add('sbert')
  await assert.rejects(swap(beanstalk, CNAME, 'new', ignore), /CloudFront goes to its balancer, not to its name/)
  assert.equal(beanstalk.all.length, 1)
})

test('swap() refuses a label that makes no name of an environment', async () => {
  const beanstalk = new FakeBeanstalk()
  await assert.rejects(swap(beanstalk, CNAME, 'x'.repeat(35), ignore), /want a label of 34 characters/)
})
