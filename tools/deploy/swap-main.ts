/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { aws, listOf } from './aws-cli.ts'
import { DeployError } from './deployment.ts'
import { finishSwap, swap, swapBack, type SwapPlatform, type WebEnvironment } from './swap.ts'

const HELP = `Usage: npm run swap -- --cname <name> --label <version>
       npm run swap -- --cname <name> --label <version before> --back
       npm run swap -- --cname <name> --label <version before> --finish

Blue/green for an environment of Elastic Beanstalk that callers reach by its own name, without CloudFront: clones the environment
with a version, asks the clone, and exchanges the names. --back gives the name back, --finish terminates the old
environment. After a kill the same command goes on. For a stage of terraform/ there is npm run deploy: docs/deploy.md.

  --cname        name that callers use, such as sbert.us-east-1.elasticbeanstalk.com
  --application  application of Elastic Beanstalk; sbert-service by default

API_KEY is a key to ask the clone with. Needs the AWS CLI, version 2. Ends with 1 when callers are where they were.
`
const PAUSE_MS = 15_000
const MAX_PAUSES = 120

/** Elastic Beanstalk through the AWS CLI. */
class CliSwapPlatform implements SwapPlatform {
  readonly #application: string
  readonly #apiKey: string
  readonly #pauseMs: number
  #pausesLeft = MAX_PAUSES

  constructor(application: string, apiKey: string, pauseMs = PAUSE_MS) {
    this.#application = application
    this.#apiKey = apiKey
    this.#pauseMs = pauseMs
  }

  async environments(): Promise<readonly WebEnvironment[]> {
    const named = ['--application-name', this.#application, '--no-include-deleted']
    const { Environments } = await aws(['elasticbeanstalk', 'describe-environments', ...named])
    return listOf(Environments)
      .filter(({ Status }) => Status !== 'Terminating' && Status !== 'Terminated')
      .map((found) => ({
        id: String(found['EnvironmentId']),
        name: String(found['EnvironmentName']),
        label: String(found['VersionLabel']),
        cname: String(found['CNAME']),
        isReady: found['Status'] === 'Ready',
        isHealthy: found['Health'] === 'Green'
      }))
  }

  async isManaged({ name }: WebEnvironment): Promise<boolean> {
    const named = ['--application-name', this.#application, '--environment-names', name, '--no-include-deleted']
    const { Environments } = await aws(['elasticbeanstalk', 'describe-environments', ...named])
    const arn = String(listOf(Environments)[0]?.['EnvironmentArn'])
    const { ResourceTags } = await aws(['elasticbeanstalk', 'list-tags-for-resource', '--resource-arn', arn])
    return listOf(ResourceTags).some(({ Key, Value }) => Key === 'ManagedBy' && Value === 'terraform')
  }

  async clone({ id }: WebEnvironment, name: string, label: string): Promise<void> {
    const application = ['--application-name', this.#application]
    const template = ['--template-name', name]
    await aws([
      'elasticbeanstalk',
      'create-configuration-template',
      ...application,
      ...template,
      '--environment-id',
      id
    ]).catch((error: unknown) => {
      // Created by the same command before it was killed.
      if (!String(error).includes('already exists')) throw error
    })
    const made = ['--environment-name', name, '--version-label', label]
    await aws(['elasticbeanstalk', 'create-environment', ...application, ...template, ...made])
    await aws(['elasticbeanstalk', 'delete-configuration-template', ...application, ...template])
  }

  async ask({ name, cname }: WebEnvironment): Promise<void> {
    const reply = await fetch(`http://${cname}/v1/encode?query=swap`, {
      headers: { authorization: `Bearer ${this.#apiKey}` },
      signal: AbortSignal.timeout(30_000)
    }).catch((error: unknown) => {
      throw new DeployError(`${name} does not answer: ${String(error)}`)
    })
    await reply.arrayBuffer()
    if (!reply.ok || reply.headers.get('x-model-revision') === null)
      throw new DeployError(`${name} answers an encode with ${reply.status}`)
  }

  async exchangeNames(one: WebEnvironment, other: WebEnvironment): Promise<void> {
    const pair = ['--source-environment-id', one.id, '--destination-environment-id', other.id]
    await aws(['elasticbeanstalk', 'swap-environment-cnames', ...pair])
  }

  async terminate({ id }: WebEnvironment): Promise<void> {
    await aws(['elasticbeanstalk', 'terminate-environment', '--environment-id', id])
  }

  async pause(waitsFor: string): Promise<void> {
    if (this.#pausesLeft === 0) throw new DeployError(`waited in vain until ${waitsFor}`)
    this.#pausesLeft -= 1
    await sleep(this.#pauseMs)
  }
}

function report(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cname: { type: 'string' },
      label: { type: 'string' },
      application: { type: 'string', default: 'sbert-service' },
      back: { type: 'boolean', default: false },
      finish: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const { cname, label, application, back, finish } = values
  const { API_KEY: apiKey = '', DEPLOY_PAUSE_MS: pauseMs } = process.env
  const isSwap = !back && !finish
  if (values.help || cname === undefined || label === undefined || (back && finish) || (isSwap && apiKey === '')) {
    report(HELP)
    return values.help ? 0 : 2
  }
  const platform = new CliSwapPlatform(application, apiKey, pauseMs === undefined ? undefined : Number(pauseMs))
  const step = back ? swapBack : finish ? finishSwap : swap
  await step(platform, cname, label, report)
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
