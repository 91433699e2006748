/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What a stage runs. */
export interface Running {
  /** Version of the Elastic Beanstalk application. */
  readonly label: string
  /** ARN of the workers' task definition. */
  readonly task: string
  /** Revision of the model at the edge; undefined while no cached answer is shared. */
  readonly revision?: string | undefined
  /** Version of the function's alias; undefined where no function is deployed. */
  readonly function?: string | undefined
}

/** A version to deploy. */
export interface Version {
  readonly label: string
  /** Image of the web tier, by digest. */
  readonly serviceImage: string
  /** Image of the workers, by digest. */
  readonly workerImage: string
  /** Image of the function, by digest, where the stage has one. */
  readonly functionImage?: string | undefined
}

/** Record of a deployment outside of the process, so that the next run knows of one that was killed. */
export interface Journal {
  readonly status: 'open' | 'done' | 'rolled back'
  /** The version that was being deployed. */
  readonly label: string
  /** What ran before: the state to roll back to. */
  readonly before: Running
}

/** AWS operations of a deployment. Each is idempotent. */
export interface Platform {
  readJournal(): Promise<Journal | undefined>
  writeJournal(journal: Journal): Promise<void>
  running(): Promise<Running>
  /** Tags an image as deployed, so that it does not expire. */
  keepImage(image: string, tag: string): Promise<void>
  /** The newest task definition, which has Terraform's settings, with an image; registered unless the newest has it already. */
  taskWith(image: string): Promise<string>
  /** Updates the workers to a task definition. */
  startWorkers(task: string): Promise<void>
  /** @throws {DeployError} when other tasks run in the end: ECS has rolled back */
  waitForWorkers(task: string): Promise<void>
  /** Updates the web tier to a version, once it accepts changes. */
  startWeb(label: string): Promise<void>
  /** @throws {DeployError} when another version runs in the end: Elastic Beanstalk has rolled back */
  waitForWeb(label: string): Promise<void>
  /** The version that callers of the function reach. */
  functionVersion(): Promise<string>
  /** Publishes the function with an image and Terraform's newest settings. @returns the version */
  publishFunction(image: string): Promise<string>
  /**
   * Points the function's alias to a version.
   * @throws {DeployError} when that version does not answer: the alias stays
   */
  startFunction(version: string): Promise<void>
  /** Sets the revision of the model at the edge; undefined stops the edge from sharing answers. */
  setRevision(revision: string | undefined): Promise<void>
  /** The revision in the reply to an uncached encode through the edge. */
  askRevision(): Promise<string>
  /** @throws {DeployError} when the stage does not keep its promises */
  check(): Promise<void>
}

/** The stage does not run what it should. */
export class DeployError extends Error {
  override readonly name = 'DeployError'
}

/** How a deployment ended. */
export type Outcome = 'deployed' | 'rolled back'

/** Reports the progress. */
export type Report = (line: string) => void

/**
 * Deploys a version to a stage; when it does not run or fails its checks, rolls the stage back. After a kill at any
 * point the same call resumes: finished steps are found finished, and the state to roll back to is still known.
 * @param keepsCache whether the edge goes on sharing answers meanwhile: only when the model is known to be the same
 * @throws {DeployError} when the stage could not be rolled back either
 */
export async function deploy(
  platform: Platform,
  version: Version,
  keepsCache: boolean,
  report: Report
): Promise<Outcome> {
  const journal = await platform.readJournal()
  // The state in the middle of a deployment is not one to roll back to.
  const before = journal?.status === 'open' ? journal.before : await runningNow(platform, version)
  if (journal?.status === 'open')
    report(`A deployment of ${journal.label} had not ended: ${before.label} is what is gone back to`)
  await platform.writeJournal({ status: 'open', label: version.label, before })
  try {
    await bringIn(platform, version, keepsCache, report)
  } catch (error) {
    report(`Cannot deploy ${version.label}: ${error instanceof Error ? error.message : String(error)}`)
    await goBack(platform, before, report)
    await platform.writeJournal({ status: 'rolled back', label: version.label, before })
    return 'rolled back'
  }
  await platform.writeJournal({ status: 'done', label: version.label, before })
  report(`${version.label} runs`)
  return 'deployed'
}

/**
 * Rolls a stage back to what ran before the last deployment.
 * @throws {DeployError} when no deployment is known, or the stage cannot be rolled back
 */
export async function rollBack(platform: Platform, report: Report): Promise<void> {
  const journal = await platform.readJournal()
  if (journal === undefined) throw new DeployError('Cannot roll back: no deployment of this stage is known')
  await platform.writeJournal({ ...journal, status: 'open' })
  await goBack(platform, journal.before, report)
  await platform.writeJournal({ ...journal, status: 'rolled back' })
}

async function runningNow(platform: Platform, { functionImage }: Version): Promise<Running> {
  const running = await platform.running()
  return functionImage === undefined ? running : { ...running, function: await platform.functionVersion() }
}

async function bringIn(platform: Platform, version: Version, keepsCache: boolean, report: Report): Promise<void> {
  await platform.keepImage(version.serviceImage, `${version.label}-service`)
  await platform.keepImage(version.workerImage, `${version.label}-worker`)
  if (version.functionImage !== undefined) await platform.keepImage(version.functionImage, `${version.label}-function`)
  // While instances of both versions answer, vectors of one would be cached under the revision of the other.
  if (!keepsCache) await platform.setRevision(undefined)
  const next = { label: version.label, task: await platform.taskWith(version.workerImage) }
  if (version.functionImage === undefined) await moveTo(platform, next, report)
  else await moveTo(platform, { ...next, function: await platform.publishFunction(version.functionImage) }, report)
  const revision = await platform.askRevision()
  await platform.setRevision(revision)
  report(`The model is of revision ${revision}`)
  await platform.check()
}

async function goBack(platform: Platform, before: Running, report: Report): Promise<void> {
  report(`Going back to ${before.label}`)
  await platform.setRevision(undefined)
  await moveTo(platform, before, report)
  await platform.setRevision(before.revision)
}

async function moveTo(
  platform: Platform,
  { label, task, function: functionVersion }: Running,
  report: Report
): Promise<void> {
  if (functionVersion !== undefined) {
    await platform.startFunction(functionVersion)
    report(`The function runs version ${functionVersion}`)
  }
  await platform.startWorkers(task)
  await platform.startWeb(label)
  await platform.waitForWorkers(task)
  report(`The workers run ${task}`)
  await platform.waitForWeb(label)
  report(`The web tier runs ${label}`)
}
