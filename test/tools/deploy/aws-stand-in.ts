/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * The AWS CLI in small: what tools/deploy asks of ECS, Elastic Beanstalk, ECR, Parameter Store and CloudFront's key value store, on a
 * state in the file AWS_STAND_IN. A change takes two looks to be done; `broken` in the state says which of them AWS takes back.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'

/** What the account holds. */
export interface AccountState {
  readonly calls: string[]
  readonly parameters: Record<string, string>
  /** Task definitions of the family, oldest first. */
  readonly tasks: Record<string, unknown>[]
  readonly tags: Record<string, string>
  pairs: { Key: string; Value: string }[]
  eTag: number
  service: { task: string; before: string; looksLeft: number; isPutBack: boolean }
  environment: { label: string; before: string; looksLeft: number }
  /** The function: image of each published version, and which of them callers reach. */
  lambda: { images: string[]; live: string; looksLeft: number }
  broken?: 'workers' | 'web' | 'function'
}

const file = process.env['AWS_STAND_IN']
if (file !== undefined) {
  const state: AccountState = JSON.parse(readFileSync(file, 'utf8'))
  const [service = '', command = '', ...rest] = process.argv.slice(2)
  state.calls.push(`${service} ${command}`)
  const given = (name: string): string =>
    rest.includes(`--${name}`) ? (rest[rest.indexOf(`--${name}`) + 1] ?? '') : ''
  const output = rest.find((argument) => argument.endsWith('reply.json'))
  try {
    const answer =
      service === 'lambda'
        ? functionAnswer(state, command, given, output)
        : answerTo(state, `${service} ${command}`, given)
    process.stdout.write(answer === undefined ? '' : JSON.stringify(answer))
  } catch (error) {
    process.stderr.write(`An error occurred (${error instanceof Error ? error.message : ''})\n`)
    process.exitCode = 254
  }
  writeFileSync(file, JSON.stringify(state))
}

function answerTo(state: AccountState, command: string, given: (name: string) => string): unknown {
  const { service, environment } = state
  switch (command) {
    case 'ssm get-parameters': {
      const Value = state.parameters[given('names')]
      return { Parameters: Value === undefined ? [] : [{ Value }] }
    }
    case 'ssm put-parameter':
      state.parameters[given('name')] = given('value')
      return { Version: 1 }
    case 'ecr batch-get-image':
      return { images: [{ imageManifest: '{}', imageManifestMediaType: 'application/vnd.oci.image.index.v1+json' }] }
    case 'ecr put-image':
      if (state.tags[given('image-tag')] === given('image-digest')) throw new Error('ImageAlreadyExistsException')
      if (given('image-tag') in state.tags) throw new Error('ImageTagAlreadyExistsException')
      state.tags[given('image-tag')] = given('image-digest')
      return {}
    case 'ecs describe-task-definition':
      // A family alone is its newest.
      return { taskDefinition: state.tasks.findLast((task) => Object.values(task).includes(given('task-definition'))) }
    case 'ecs register-task-definition': {
      const definition = {
        ...JSON.parse(given('cli-input-json')),
        taskDefinitionArn: `worker:${state.tasks.length + 1}`
      }
      state.tasks.push(definition)
      return { taskDefinition: definition }
    }
    case 'ecs update-service':
      // Without a task definition the same tasks start anew.
      state.service = {
        task: given('task-definition') || service.task,
        before: service.task,
        looksLeft: 2,
        isPutBack: false
      }
      return {}
    case 'ecs describe-services': {
      if (service.looksLeft > 0) service.looksLeft -= 1
      if (service.looksLeft === 0 && state.broken === 'workers' && service.task !== 'worker:1' && !service.isPutBack) {
        state.service = { task: service.before, before: service.before, looksLeft: 0, isPutBack: true }
      }
      const { task, looksLeft } = state.service
      const rolloutState = looksLeft === 0 ? 'COMPLETED' : 'IN_PROGRESS'
      return {
        services: [{ taskDefinition: task, deployments: [{ status: 'PRIMARY', taskDefinition: task, rolloutState }] }]
      }
    }
    case 'elasticbeanstalk update-environment':
      if (environment.looksLeft > 0) throw new Error('InvalidParameterValue: Environment is in an invalid state')
      state.environment = { label: given('version-label'), before: environment.label, looksLeft: 3 }
      return {}
    case 'elasticbeanstalk describe-environments': {
      if (environment.looksLeft > 0) environment.looksLeft -= 1
      if (environment.looksLeft === 0 && state.broken === 'web' && environment.label !== 'old')
        environment.label = environment.before
      return {
        Environments: [{ Status: environment.looksLeft === 0 ? 'Ready' : 'Updating', VersionLabel: environment.label }]
      }
    }
    case 'cloudfront-keyvaluestore describe-key-value-store':
      return { ETag: String(state.eTag) }
    case 'cloudfront-keyvaluestore list-keys':
      return { Items: state.pairs }
    case 'cloudfront-keyvaluestore update-keys': {
      if (given('if-match') !== String(state.eTag)) throw new Error('PreconditionFailed')
      const changed: { Key: string; Value?: string }[] = JSON.parse(
        given('puts').startsWith('[') ? given('puts') : given('deletes')
      )
      const others = state.pairs.filter(({ Key }) => changed.every((pair) => pair.Key !== Key))
      state.pairs = [...others, ...changed.flatMap(({ Key, Value }) => (Value === undefined ? [] : [{ Key, Value }]))]
      state.eTag += 1
      return { ETag: String(state.eTag) }
    }
    default:
      throw new Error(`Unknown command: ${command}`)
  }
}

function functionAnswer(
  { lambda, broken }: AccountState,
  command: string,
  given: (name: string) => string,
  output: string | undefined
): unknown {
  if (given('function-name') !== 'sbert-service-dev-function') throw new Error('ResourceNotFoundException')
  const count = lambda.images.length
  switch (command) {
    case 'get-alias':
      return { FunctionVersion: lambda.live }
    case 'get-function-configuration':
      if (lambda.looksLeft > 0) lambda.looksLeft -= 1
      return lambda.looksLeft === 0
        ? { State: 'Active', LastUpdateStatus: 'Successful' }
        : { State: 'Pending', LastUpdateStatus: 'InProgress' }
    case 'update-function-code':
      if (lambda.looksLeft > 0) throw new Error('ResourceConflictException')
      if (lambda.images.at(-1) !== given('image-uri')) lambda.images.push(given('image-uri'))
      lambda.looksLeft = 2
      return { Version: String(lambda.images.length) }
    case 'invoke': {
      const isBroken = broken === 'function' && given('qualifier') !== '1'
      const event = JSON.parse(Buffer.from(given('payload'), 'base64').toString())
      const reply = isBroken
        ? { errorType: 'Runtime.ExitError', errorMessage: 'Cannot read the secret of API_SECRET_KEY' }
        : { statusCode: event.rawPath === '/health/ready' ? 200 : 404 }
      writeFileSync(output ?? '', JSON.stringify(reply))
      return { StatusCode: 200, ...(isBroken && { FunctionError: 'Unhandled' }) }
    }
    case 'update-alias':
      if (Number(given('function-version')) > count || given('name') !== 'live')
        throw new Error('ResourceNotFoundException')
      lambda.live = given('function-version')
      return {}
    default:
      throw new Error(`Unknown command: lambda ${command}`)
  }
}
