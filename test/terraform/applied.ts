/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * Applies to an emulator what it supports of the stacks, runs jobs on the very queues, table and bucket that
 * Terraform made, and destroys all of it. Run by tools/check-terraform.sh: it takes minutes, so it is no part of `npm test`.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  DeleteBucketPolicyCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client
} from '@aws-sdk/client-s3'
import { ReceiveMessageCommand, SQSClient, SendMessageCommand, type Message } from '@aws-sdk/client-sqs'

import { DEFAULT_JOB_POLICY } from '../../src/jobs/job.ts'
import { JobRunner } from '../../src/jobs/job-runner.ts'
import { packPayload, type Payload } from '../../src/jobs/payload.ts'
import { AwsJobBackend, type AwsJobBackendOptions } from '../../src/platform/aws-job-backend.ts'
import resources from '../../src/platform/job-resources.json' with { type: 'json' }
import { AwsPlatform } from '../../tools/deploy/aws-platform.ts'
import { EMULATOR_ENVIRONMENT, startEmulators, stopEmulators, type Emulators } from '../emulators/emulators.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LIMIT_MS = 600_000

/** What the emulator has of a stage: all but Elastic Beanstalk, CloudFront's newer parts, scaling of ECS, Chatbot and billing. */
const STAGE_TARGETS = [
  'module.network',
  'module.storage',
  'aws_kms_alias.main',
  'aws_iam_instance_profile.web',
  'aws_iam_role_policy.web',
  'aws_iam_role_policy.worker',
  'aws_iam_role_policy.worker_start',
  'aws_iam_role_policy_attachment.beanstalk',
  'aws_vpc_security_group_ingress_rule.web',
  'aws_vpc_security_group_egress_rule.web',
  'aws_vpc_security_group_egress_rule.balancer',
  'aws_vpc_security_group_egress_rule.worker',
  'aws_sns_topic_policy.alarms',
  'aws_ecs_service.worker'
]

/** What it has of the account's stack: all but the Elastic Beanstalk application. */
const ACCOUNT_TARGETS = [
  'aws_kms_alias.account',
  'aws_s3_bucket_public_access_block.account',
  'aws_s3_bucket_versioning.account',
  'aws_s3_bucket_server_side_encryption_configuration.account',
  'aws_s3_bucket_policy.account',
  'aws_ecr_lifecycle_policy.service',
  'aws_iam_role_policy.build',
  'aws_iam_role_policy.deploy',
  'aws_iam_role_policy.plan',
  'aws_iam_role_policy_attachment.apply'
]

// The emulator answers S3 under one name; retries without end would hide that it lacks something.
const PROVIDER = 'max_retries = 3\n  s3_use_path_style = true'
const OVERRIDE = `terraform {
  backend "local" {}
}
provider "aws" {
  ${PROVIDER}
}
`
const STAGE_OVERRIDE = `${OVERRIDE}
provider "aws" {
  alias = "us_east_1"
  ${PROVIDER}
}
`
const IMAGE = `sbert-service@sha256:${'0'.repeat(64)}`

let emulators: Emulators | undefined
let folder = ''
let jobs: AwsJobBackendOptions | undefined

/** A stack of a copy of terraform/, so that neither its state nor its settings come into the repository. */
class Stack {
  readonly #path: string
  readonly #variables: readonly string[]
  readonly #targets: readonly string[]

  constructor(name: string, variables: readonly string[], targets: readonly string[]) {
    this.#path = join(folder, 'terraform', name)
    this.#variables = variables
    this.#targets = targets.map((target) => `-target=${target}`)
  }

  async apply(override: string): Promise<void> {
    await writeFile(join(this.#path, 'emulator_override.tf'), override)
    const mirror = process.env['TF_MIRROR']
    await this.#terraform('init', ...(mirror === undefined || mirror === '' ? [] : [`-plugin-dir=${mirror}`]))
    await this.#terraform('apply', '-auto-approve', ...this.#variables, ...this.#targets)
  }

  /** Destroys everything there is, and says what is left in the state. */
  async destroy(): Promise<string> {
    // By name, or it would first read what the emulator does not have.
    const targets = (await this.#managed()).map((address) => `-target=${address}`)
    await this.#terraform('destroy', '-auto-approve', ...this.#variables, ...targets)
    return (await this.#managed()).join('\n')
  }

  /** What is in the state, data sources left out. */
  async #managed(): Promise<string[]> {
    const addresses = (await this.#terraform('state', 'list')).trim().split('\n')
    return addresses.filter((address) => address !== '' && !/(?:^|\.)data\./.test(address))
  }

  /** Attributes of a resource in the state. */
  async attributes(address: string): Promise<Record<string, unknown>> {
    const state: { values: { root_module: StateModule } } = JSON.parse(await this.#terraform('show', '-json'))
    const found = resourcesIn(state.values.root_module).find((resource) => resource.address === address)
    assert(found !== undefined, address)
    return found.values
  }

  async #terraform(command: string, ...args: string[]): Promise<string> {
    const plain = command === 'show' || command === 'state' ? [] : ['-no-color', '-input=false']
    const [sub, ...rest] = args
    const ordered = command === 'state' && sub !== undefined ? [sub, ...rest] : [...plain, ...args]
    const { stdout } = await run('terraform', [`-chdir=${this.#path}`, command, ...ordered], {
      env: { ...process.env, ...EMULATOR_ENVIRONMENT, AWS_ENDPOINT_URL: url() },
      maxBuffer: 1 << 28,
      timeout: LIMIT_MS,
      killSignal: 'SIGINT'
    })
    return stdout
  }
}

interface StateModule {
  readonly resources?: readonly { readonly address: string; readonly values: Record<string, unknown> }[]
  readonly child_modules?: readonly StateModule[]
}

function resourcesIn(module: StateModule): readonly { address: string; values: Record<string, unknown> }[] {
  return [...(module.resources ?? []), ...(module.child_modules ?? []).flatMap((child) => resourcesIn(child))]
}

function url(): string {
  assert(emulators !== undefined)
  return emulators.s3.url
}

function made(): AwsJobBackendOptions {
  assert(jobs !== undefined, 'Terraform has made queues, table and bucket')
  return jobs
}

Object.assign(process.env, EMULATOR_ENVIRONMENT, { MOTO_IAM_LOAD_MANAGED_POLICIES: 'true' })

let stage: Stack
let account: Stack
let sqs: SQSClient
let dynamodb: DynamoDBClient
let s3: S3Client
const clients: { destroy(): void }[] = []

before(async () => {
  emulators = await startEmulators()
  folder = await mkdtemp(join(tmpdir(), 'terraform-'))
  await cp(join(ROOT, 'terraform'), join(folder, 'terraform'), { recursive: true, filter: isOurs })
  await cp(join(ROOT, 'edge'), join(folder, 'edge'), { recursive: true })
  await cp(join(ROOT, 'src/platform'), join(folder, 'src/platform'), { recursive: true })
  const stageVariables = ['-var-file=stages/dev.tfvars', '-var=version_label=v1', `-var=image=${IMAGE}`]
  stage = new Stack('', stageVariables, STAGE_TARGETS)
  account = new Stack('account', ['-var=repository=example/sbert-service'], ACCOUNT_TARGETS)
  await Promise.all([stage.apply(STAGE_OVERRIDE), account.apply(OVERRIDE)])
  const client = { endpoint: url(), region: EMULATOR_ENVIRONMENT.AWS_REGION }
  sqs = new SQSClient(client)
  dynamodb = new DynamoDBClient(client)
  s3 = new S3Client({ ...client, forcePathStyle: true })
  clients.push(sqs, dynamodb, s3)
  const textOf = async (address: string, name: string): Promise<string> => {
    const value = (await stage.attributes(address))[name]
    assert(typeof value === 'string')
    return value
  }
  jobs = {
    queueUrl: await textOf('module.storage.aws_sqs_queue.work["jobs"]', 'url'),
    bulkQueueUrl: await textOf('module.storage.aws_sqs_queue.work["bulk"]', 'url'),
    deadLetterQueueUrl: await textOf('module.storage.aws_sqs_queue.dead', 'url'),
    table: await textOf('module.storage.aws_dynamodb_table.jobs', 'name'),
    bucket: await textOf('module.storage.aws_s3_bucket.main', 'bucket'),
    region: EMULATOR_ENVIRONMENT.AWS_REGION,
    endpoints: { sqs: url(), dynamodb: url(), s3: url() }
  }
})

after(async () => {
  for (const client of clients) client.destroy()
  if (emulators !== undefined) await stopEmulators(emulators)
  await rm(folder, { recursive: true, force: true })
})

/** Not what someone has initialised or applied in the repository. */
function isOurs(path: string): boolean {
  return !/\/\.terraform(?:\/|$)|_override\.tf$|\.tfstate/.test(path)
}

async function doubled({ bytes }: Payload): Promise<Payload> {
  return packPayload(Buffer.concat([bytes, bytes]))
}

/** A backend on what Terraform made. */
function openBackend(t: TestContext, change: Partial<AwsJobBackendOptions> = {}): AwsJobBackend {
  const backend = new AwsJobBackend({ ...made(), ...change })
  t.after(() => backend.close())
  return backend
}

async function look(QueueUrl: string | undefined, VisibilityTimeout = 0): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    VisibilityTimeout,
    WaitTimeSeconds: 0,
    MaxNumberOfMessages: 10
  })
  return (await sqs.send(command)).Messages ?? []
}

test('a deployment finds its way on what Terraform made: journal, image, newest task definition, service', async (t) => {
  const hasCli = await run('aws', ['--version']).then(
    () => true,
    () => false
  )
  if (!hasCli) return t.skip('the AWS CLI is not on this machine')
  // Version 1 of the CLI knows the region by another name.
  const forCli = { AWS_ENDPOINT_URL: url(), AWS_DEFAULT_REGION: EMULATOR_ENVIRONMENT.AWS_REGION }
  Object.assign(process.env, forCli)
  t.after(() => {
    for (const name of Object.keys(forCli)) delete process.env[name]
  })
  const at = { name: 'sbert-service-dev', stage: 'dev', url: '', apiKey: '', store: '' }
  const platform = new AwsPlatform(at)
  assert.equal(await platform.readJournal(), undefined)
  const journal = { status: 'open', label: 'v2', before: { label: 'v1', task: 'arn:task:1', revision: 'r1' } } as const
  await platform.writeJournal({ ...journal, status: 'done' })
  await platform.writeJournal(journal)
  assert.deepEqual(await platform.readJournal(), journal)
  const terraformed = String((await stage.attributes('aws_ecs_task_definition.worker'))['arn'])
  assert.equal(await platform.taskWith(IMAGE), terraformed, 'the newest has the image already')
  const other = `sbert-service@sha256:${'1'.repeat(64)}`
  const task = await platform.taskWith(other)
  assert.notEqual(task, terraformed)
  assert.equal(await platform.taskWith(other), task, 'it is registered once')
  await platform.startWorkers(task)
  const { stdout } = await run('aws', ['ecs', 'describe-services', '--cluster', at.name, '--services', 'worker'])
  assert.equal(JSON.parse(stdout).services[0].taskDefinition, task)
  return undefined
})

test('the bucket refuses what does not come by TLS', async () => {
  const put = new PutObjectCommand({ Bucket: made().bucket, Key: `${resources.bucket.prefix}x`, Body: 'x' })
  await assert.rejects(s3.send(put), (error: { $metadata?: { httpStatusCode?: number } }) => {
    return error.$metadata?.httpStatusCode === 403
  })
  // The emulator speaks no TLS, and what follows is to use the bucket.
  await s3.send(new DeleteBucketPolicyCommand({ Bucket: made().bucket }))
})

test('jobs of both lanes, small and large, are done on what Terraform made', { timeout: LIMIT_MS }, async (t) => {
  const backend = openBackend(t)
  const runner = new JobRunner({ backend, handlers: new Map([['double', doubled]]), concurrency: 4 })
  t.after(() => runner.stop())
  const sizes = [1, 10, 300_000]
  const ids = await Promise.all(
    sizes.flatMap((size) =>
      (['interactive', 'bulk'] as const).map(async (priority) => {
        const job = { type: 'double', priority, input: packPayload(new Uint8Array(size)) }
        const enqueued = await backend.enqueue(job)
        assert(enqueued.outcome === 'added')
        return [enqueued.job.id, size] as const
      })
    )
  )
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: made().bucket, Prefix: resources.bucket.prefix })
  )
  assert.equal(Contents.length, 2, 'two inputs are too large for the table')
  const { ServerSideEncryption } = await s3.send(
    new HeadObjectCommand({ Bucket: made().bucket, Key: Contents[0]?.Key })
  )
  assert.equal(ServerSideEncryption, 'aws:kms')
  runner.start()
  for (const [id, size] of ids) {
    assert.equal((await backend.waitUntilEnded(id, 60_000))?.status, 'SUCCESS')
    assert.equal((await backend.result(id))?.bytes.byteLength, 2 * size)
  }
})

test('a job that fails for good leaves a letter in the queue of the dead, and redrive() takes it back', async (t) => {
  const backend = openBackend(t, { policy: { ...DEFAULT_JOB_POLICY, maxReceives: 1 } })
  const enqueued = await backend.enqueue({ type: 'work', input: packPayload('in') })
  assert(enqueued.outcome === 'added')
  // The runner that stopped before may have taken the message along: it shows again after its lease.
  const request = { types: ['work'], limit: 1, leaseMs: 30_000, waitMs: 45_000 }
  const [claim] = await backend.claim(request)
  assert(claim !== undefined)
  assert.equal(await backend.fail(claim.lease, { message: 'boom', isPermanent: false }), 'held')
  assert.deepEqual(
    (await backend.deadLetters({ limit: 10 })).jobs.map((job) => job.id),
    [enqueued.job.id]
  )
  await backend.close()
  const [letter] = await look(made().deadLetterQueueUrl)
  assert.equal(JSON.parse(letter?.Body ?? '{}').id, enqueued.job.id)
  const other = openBackend(t)
  assert.equal((await other.redrive(enqueued.job.id)).outcome, 'changed')
  const [again] = await other.claim(request)
  assert(again !== undefined)
  assert.equal(await other.finish(again.lease, packPayload('out')), 'held')
})

test('the queue’s redrive policy moves a message that nobody can finish', async () => {
  const { queueUrl, deadLetterQueueUrl } = made()
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'kills its reader' }))
  for (let count = 0; count < resources.queue.maxReceiveCount; count += 1) {
    assert.equal((await look(queueUrl)).length, 1)
  }
  assert.equal((await look(queueUrl)).length, 0)
  assert((await look(deadLetterQueueUrl)).some((message) => message.Body === 'kills its reader'))
})

test('the table has the keys that the program writes', async () => {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: made().table }))
  assert.equal(Table?.KeySchema?.[0]?.AttributeName, resources.table.key)
  assert.equal(Table?.GlobalSecondaryIndexes?.[0]?.IndexName, resources.table.index.name)
})

test('everything is destroyed again', { timeout: LIMIT_MS }, async () => {
  const { bucket } = made()
  assert.deepEqual(await Promise.all([stage.destroy(), account.destroy()]), ['', ''])
  await assert.rejects(s3.send(new ListObjectsV2Command({ Bucket: bucket })), { name: 'NoSuchBucket' })
})
