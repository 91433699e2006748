/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { DeployError, type Report } from './deployment.ts'

/** The fields of an Elastic Beanstalk environment that a swap reads. */
export interface WebEnvironment {
  readonly id: string
  readonly name: string
  /** Version that it runs. */
  readonly label: string
  /** The complete DNS name that callers use. */
  readonly cname: string
  readonly isReady: boolean
  readonly isHealthy: boolean
}

/** AWS operations of a swap. Each is idempotent. */
export interface SwapPlatform {
  /** All environments that are not terminated. */
  environments(): Promise<readonly WebEnvironment[]>
  /** Whether Terraform made it. */
  isManaged(environment: WebEnvironment): Promise<boolean>
  /** Creates an environment with the settings of another and a version. */
  clone(of: WebEnvironment, name: string, label: string): Promise<void>
  /** @throws {DeployError} when it does not answer as the service does */
  ask(environment: WebEnvironment): Promise<void>
  exchangeNames(one: WebEnvironment, other: WebEnvironment): Promise<void>
  terminate(environment: WebEnvironment): Promise<void>
  /** Pauses until the next poll. @throws {DeployError} after too many polls */
  pause(waitsFor: string): Promise<void>
}

/** Maximum length of an environment's name in Elastic Beanstalk. */
const MAX_NAME = 40

/**
 * Deploys a version beside the running one (blue/green): a clone of the environment with the new version is checked
 * under its own name, then gets the name that callers use. The old environment stays, to swap back to, until {@link
 * finishSwap}. All state is read from the environments, so after a kill at any point the same call resumes.
 * @param cname complete DNS name that callers use
 * @throws {DeployError} when the new version does not run or answer: callers still reach the old one
 */
export async function swap(platform: SwapPlatform, cname: string, label: string, report: Report): Promise<void> {
  const live = await liveOf(platform, cname)
  if (live.label === label) {
    await settled(platform, live.name)
    report(`${cname} is ${live.name} with ${label}`)
    return
  }
  if (await platform.isManaged(live)) {
    throw new DeployError(
      `Cannot swap ${live.name}: Terraform made it, and CloudFront goes to its balancer, not to its name. npm run deploy brings a version in`
    )
  }
  const name = nameOf(cname, label)
  if (!(await platform.environments()).some((one) => one.name === name)) {
    await platform.clone(live, name, label)
    report(`${name} starts, as a clone of ${live.name} with ${label}`)
  }
  const next = await settled(platform, name)
  if (next.label !== label || !next.isHealthy)
    throw new DeployError(
      `${name} runs ${next.label} and is ${next.isHealthy ? '' : 'not '}healthy: ${cname} stays at ${live.name}`
    )
  await platform.ask(next)
  await exchange(platform, cname, next, report)
}

/** Gives the name back to the environment that has a version. @throws {DeployError} when none has */
export async function swapBack(platform: SwapPlatform, cname: string, label: string, report: Report): Promise<void> {
  const before = (await platform.environments()).find((one) => one.label === label)
  if (before === undefined) throw new DeployError(`Cannot swap back: no environment runs ${label} any more`)
  await exchange(platform, cname, await settled(platform, before.name), report)
}

/** Terminates the environment that the swap replaced. */
export async function finishSwap(platform: SwapPlatform, cname: string, label: string, report: Report): Promise<void> {
  const live = await liveOf(platform, cname)
  const old = (await platform.environments()).find((one) => one.label === label)
  if (old === undefined) return report(`No environment runs ${label} any more`)
  if (old.id === live.id) throw new DeployError(`Cannot terminate ${old.name}: callers reach it`)
  if (await platform.isManaged(old)) throw new DeployError(`Cannot terminate ${old.name}: Terraform made it`)
  await platform.terminate(old)
  report(`${old.name} with ${label} is terminated`)
}

async function exchange(platform: SwapPlatform, cname: string, next: WebEnvironment, report: Report): Promise<void> {
  const live = await liveOf(platform, cname)
  if (live.id !== next.id) {
    await settled(platform, live.name)
    await platform.exchangeNames(live, next)
  }
  while ((await liveOf(platform, cname)).id !== next.id) await platform.pause(`${cname} is ${next.name}`)
  await settled(platform, next.name)
  report(`${cname} is ${next.name} with ${next.label}; whoever remembers an address may reach the old one for a minute`)
}

async function liveOf(platform: SwapPlatform, cname: string): Promise<WebEnvironment> {
  const live = (await platform.environments()).find((one) => one.cname.toLowerCase() === cname.toLowerCase())
  if (live === undefined) throw new DeployError(`Cannot find the environment of ${cname}`)
  return live
}

async function settled(platform: SwapPlatform, name: string): Promise<WebEnvironment> {
  for (;;) {
    const found = (await platform.environments()).find((one) => one.name === name)
    if (found?.isReady === true) return found
    await platform.pause(`${name} takes changes`)
  }
}

/** Name of a version's environment: always the same, so that a swap that was killed finds what it created. */
function nameOf(cname: string, label: string): string {
  const [prefix = ''] = cname.split('.')
  const name = `${prefix}-${label}`.replaceAll(/[^A-Za-z0-9-]/g, '-')
  if (name.length > MAX_NAME)
    throw new DeployError(
      `Cannot name the environment ${name}: want a label of ${MAX_NAME - prefix.length - 1} characters at the most`
    )
  return name
}
