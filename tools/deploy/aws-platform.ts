/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { aws, fieldOf, listOf, recordOf } from './aws-cli.ts'
import { DeployError, type Journal, type Platform, type Running } from './deployment.ts'

const TEST_DEPLOYED = fileURLToPath(new URL('../test-deployed/main.ts', import.meta.url))
const SERVICE = 'worker'
const FUNCTION_ALIAS = 'live'
/** Event of an HTTP API that asks a function whether it is ready. */
const READY_EVENT = {
  version: '2.0',
  rawPath: '/health/ready',
  rawQueryString: '',
  headers: {},
  requestContext: { http: { method: 'GET', path: '/health/ready' }, stage: '$default' },
  isBase64Encoded: false
}
/** Fields with which a task definition is registered; AWS adds the others. */
const REGISTERED = [
  'family',
  'taskRoleArn',
  'executionRoleArn',
  'networkMode',
  'containerDefinitions',
  'volumes',
  'requiresCompatibilities',
  'cpu',
  'memory',
  'runtimePlatform'
] as const

const run = promisify(execFile)

/** Address of a stage. */
export interface StageAddress {
  /** Environment, cluster and prefix of all names: sbert-service-<stage>. */
  readonly name: string
  readonly stage: string
  /** Base of the service's address, through the edge. */
  readonly url: string
  /** A key to ask it with. */
  readonly apiKey: string
  /** ARN of the edge's key value store. */
  readonly store: string
  /** Time limit for updating a tier. @default 30 minutes */
  readonly limitMs?: number
  /** Pause between two polls. @default 15 seconds */
  readonly pauseMs?: number
}

/** A stage through the AWS CLI, version 2: the store's signatures (SigV4A) come with it. */
export class AwsPlatform implements Platform {
  readonly #at: StageAddress

  constructor(at: StageAddress) {
    this.#at = at
  }

  async readJournal(): Promise<Journal | undefined> {
    const { Parameters } = await aws(['ssm', 'get-parameters', '--names', this.#journalName])
    const value = fieldOf(listOf(Parameters)[0], 'Value')
    return typeof value === 'string' ? readJournal(value) : undefined
  }

  async writeJournal(journal: Journal): Promise<void> {
    const args = ['--name', this.#journalName, '--type', 'String', '--overwrite', '--value', JSON.stringify(journal)]
    await aws(['ssm', 'put-parameter', ...args])
  }

  async running(): Promise<Running> {
    const task = String(fieldOf(await this.#service(), 'taskDefinition'))
    return { label: await this.#environment('VersionLabel'), task, revision: (await this.#store()).revision }
  }

  async keepImage(image: string, tag: string): Promise<void> {
    const [, repository = '', digest = ''] = /^[^/]+\/([^@]+)@(sha256:[0-9a-f]{64})$/.exec(image) ?? []
    const named = ['--repository-name', repository]
    const { images } = await aws(['ecr', 'batch-get-image', ...named, '--image-ids', `imageDigest=${digest}`])
    const { imageManifest, imageManifestMediaType } = listOf(images)[0] ?? {}
    if (typeof imageManifest !== 'string')
      throw new DeployError(`Cannot keep the image: ${repository} has no ${digest}`)
    const put = [
      '--image-tag',
      `deployed-${this.#at.stage}-${tag}`,
      '--image-digest',
      digest,
      '--image-manifest',
      imageManifest
    ]
    if (typeof imageManifestMediaType === 'string') put.push('--image-manifest-media-type', imageManifestMediaType)
    await aws(['ecr', 'put-image', ...named, ...put]).catch((error: unknown) => {
      // An earlier deployment has put this image under this tag.
      if (!String(error).includes('ImageAlreadyExistsException')) throw error
    })
  }

  async taskWith(image: string): Promise<string> {
    // By its family alone it is the newest: the one with Terraform's latest settings and secrets.
    const answer = await aws(['ecs', 'describe-task-definition', '--task-definition', `${this.#at.name}-worker`])
    const newest = recordOf(answer['taskDefinition'])
    const [container, ...others] = listOf(newest['containerDefinitions'])
    if (container === undefined || others.length > 0)
      throw new DeployError('Cannot deploy the workers: want a task of one container')
    if (container['image'] === image) return String(newest['taskDefinitionArn'])
    const definition = Object.fromEntries(
      REGISTERED.filter((name) => newest[name] !== undefined).map((name) => [name, newest[name]])
    )
    const input = JSON.stringify({ ...definition, containerDefinitions: [{ ...container, image }] })
    const { taskDefinition } = await aws(['ecs', 'register-task-definition', '--cli-input-json', input])
    return String(fieldOf(taskDefinition, 'taskDefinitionArn'))
  }

  async startWorkers(task: string): Promise<void> {
    await aws(['ecs', 'update-service', '--cluster', this.#at.name, '--service', SERVICE, '--task-definition', task])
  }

  async waitForWorkers(task: string): Promise<void> {
    await this.#until(`the workers run ${task}`, async () => {
      const service = await this.#service()
      const primary = listOf(fieldOf(service, 'deployments')).find(({ status }) => status === 'PRIMARY')
      const found = String(primary?.['taskDefinition'])
      // When the circuit breaker opens, the old tasks become the primary ones, and ECS reports that deployment as
      // completed.
      if (found !== task) throw new DeployError(`ECS put other workers back: ${found}`)
      if (primary?.['rolloutState'] === 'FAILED')
        throw new DeployError(`the workers do not start: ${String(primary['rolloutStateReason'])}`)
      return primary?.['rolloutState'] === 'COMPLETED'
    })
  }

  async startWeb(label: string): Promise<void> {
    await this.#untilReady()
    if ((await this.#environment('VersionLabel')) === label) return
    await aws(['elasticbeanstalk', 'update-environment', '--environment-name', this.#at.name, '--version-label', label])
  }

  async waitForWeb(label: string): Promise<void> {
    await this.#untilReady()
    const found = await this.#environment('VersionLabel')
    // Elastic Beanstalk itself goes back when a batch does not become healthy.
    if (found !== label) throw new DeployError(`Elastic Beanstalk put another version back: ${found}`)
  }

  async functionVersion(): Promise<string> {
    const alias = await aws(['lambda', 'get-alias', '--function-name', this.#functionName, '--name', FUNCTION_ALIAS])
    return String(alias['FunctionVersion'])
  }

  async publishFunction(image: string): Promise<string> {
    // Lambda accepts no change during another one; the same image with the same settings makes no new version.
    await this.#untilFunctionIs('LastUpdateStatus', 'Successful')
    const update = ['--function-name', this.#functionName, '--image-uri', image, '--publish']
    const { Version } = await aws(['lambda', 'update-function-code', ...update])
    return String(Version)
  }

  async startFunction(version: string): Promise<void> {
    await this.#untilFunctionIs('State', 'Active', version)
    await this.#askFunction(version)
    const alias = ['--function-name', this.#functionName, '--name', FUNCTION_ALIAS, '--function-version', version]
    await aws(['lambda', 'update-alias', ...alias])
  }

  async setRevision(revision: string | undefined): Promise<void> {
    const { eTag, revision: found } = await this.#store()
    if (found === revision) return
    const change =
      revision === undefined
        ? ['--deletes', JSON.stringify([{ Key: 'revision' }])]
        : ['--puts', JSON.stringify([{ Key: 'revision', Value: revision }])]
    await aws(['cloudfront-keyvaluestore', 'update-keys', '--kvs-arn', this.#at.store, '--if-match', eTag, ...change])
  }

  async askRevision(): Promise<string> {
    const { url, apiKey } = this.#at
    // A text that is in no cache.
    const reply = await fetch(`${url}/v1/encode?query=${randomUUID()}`, {
      headers: { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(70_000)
    })
    await reply.arrayBuffer()
    const revision = reply.headers.get('x-model-revision')
    if (!reply.ok || revision === null)
      throw new DeployError(`an encode was answered ${reply.status}, without a revision of the model`)
    return revision
  }

  async check(): Promise<void> {
    const env = { ...process.env, BASE_URL: this.#at.url, API_KEY: this.#at.apiKey }
    await run(process.execPath, [TEST_DEPLOYED], { env }).then(
      ({ stdout }) => process.stdout.write(stdout),
      ({ stdout }: { stdout?: string }) => {
        throw new DeployError(`the stage does not keep its promises:\n${stdout ?? ''}`)
      }
    )
  }

  get #journalName(): string {
    return `/${this.#at.name}/deploy`
  }

  async #service(): Promise<unknown> {
    const { services } = await aws(['ecs', 'describe-services', '--cluster', this.#at.name, '--services', SERVICE])
    const [service] = listOf(services)
    if (service === undefined)
      throw new DeployError(`Cannot find the service ${SERVICE} of the cluster ${this.#at.name}`)
    return service
  }

  async #environment(field: string): Promise<string> {
    const answer = await aws([
      'elasticbeanstalk',
      'describe-environments',
      '--environment-names',
      this.#at.name,
      '--no-include-deleted'
    ])
    const [environment] = listOf(answer['Environments'])
    if (environment === undefined) throw new DeployError(`Cannot find the environment ${this.#at.name}`)
    return String(environment[field])
  }

  async #store(): Promise<{ eTag: string; revision: string | undefined }> {
    const arn = ['--kvs-arn', this.#at.store]
    const { ETag } = await aws(['cloudfront-keyvaluestore', 'describe-key-value-store', ...arn])
    const { Items } = await aws(['cloudfront-keyvaluestore', 'list-keys', ...arn])
    const value = listOf(Items).find(({ Key }) => Key === 'revision')?.['Value']
    return { eTag: String(ETag), revision: typeof value === 'string' ? value : undefined }
  }

  get #functionName(): string {
    return `${this.#at.name}-function`
  }

  /** Calls a version before any caller reaches it: it starts only with its image, its settings and its secrets. */
  async #askFunction(version: string): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'deploy-'))
    try {
      const file = join(folder, 'reply.json')
      // Version 2 of the CLI takes a payload in base64.
      const payload = Buffer.from(JSON.stringify(READY_EVENT)).toString('base64')
      const call = ['--function-name', this.#functionName, '--qualifier', version, '--payload', payload, file]
      const { FunctionError } = await aws(['lambda', 'invoke', ...call])
      const reply = await readFile(file, 'utf8')
      if (FunctionError !== undefined || recordOf(JSON.parse(reply))['statusCode'] !== 200)
        throw new DeployError(`version ${version} of the function does not answer: ${reply.slice(0, 500)}`)
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  async #untilFunctionIs(field: 'State' | 'LastUpdateStatus', wanted: string, version?: string): Promise<void> {
    const qualifier = version === undefined ? [] : ['--qualifier', version]
    const args = ['lambda', 'get-function-configuration', '--function-name', this.#functionName, ...qualifier]
    await this.#until(`the function is ${wanted}`, async () => {
      const configuration = await aws(args)
      if (configuration[field] === 'Failed')
        throw new DeployError(`the function does not start: ${String(configuration[`${field}Reason`])}`)
      return configuration[field] === wanted
    })
  }

  async #untilReady(): Promise<void> {
    await this.#until('the environment takes changes', async () => (await this.#environment('Status')) === 'Ready')
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const { limitMs = 30 * 60_000, pauseMs = 15_000 } = this.#at
    const deadlineMs = performance.now() + limitMs
    while (!(await isSo())) {
      if (performance.now() > deadlineMs)
        throw new DeployError(`waited ${Math.round(limitMs / 60_000)} minutes in vain until ${what}`)
      await sleep(pauseMs)
    }
  }
}

function readJournal(text: string): Journal {
  const value = recordOf(JSON.parse(text))
  const before = recordOf(value['before'])
  const { status, label } = value
  if (status !== 'open' && status !== 'done' && status !== 'rolled back') {
    throw new DeployError(
      `Cannot read the journal: want a status of open, done or rolled back, not "${String(status)}"`
    )
  }
  const { revision, function: functionVersion } = before
  return {
    status,
    label: String(label),
    before: {
      label: String(before['label']),
      task: String(before['task']),
      ...(typeof revision === 'string' && { revision }),
      ...(typeof functionVersion === 'string' && { function: functionVersion })
    }
  }
}
