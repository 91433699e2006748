/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * terraform, docker and gh, and the AWS CLI where the stand-in of tools/deploy has no answer: what docs/deploy.md types and no emulator serves.
 * Each looks whether what it is told exists (variables, outputs and resources of terraform/, targets of the Dockerfile, what an earlier command has made),
 * keeps what was made in the file STAND_IN_STATE, and refuses what it does not know.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

interface Made {
  applied: string[]
  images: string[]
  secrets: string[]
  files: string[]
}

const { STAND_IN_STATE = '', SERVICE_URL = '', STAND_IN_AWS = '' } = process.env
const [program = '', ...args] = process.argv.slice(2)
const before = readFileSync(STAND_IN_STATE, 'utf8')
const made: Made = JSON.parse(before)
const REGISTRY = '123456789012.dkr.ecr.us-east-1.amazonaws.com'
const DIGEST = `sha256:${'a'.repeat(64)}`
const OUTPUTS: Readonly<Record<string, string>> = {
  backend: 'terraform {\n  backend "s3" {}\n}\n',
  state_bucket: 'sbert-service-state-123456789012-us-east-1',
  repository_url: `${REGISTRY}/sbert-service`,
  bundle_bucket: 'sbert-service-bundles-123456789012-us-east-1',
  key_value_store_arn: 'arn:aws:cloudfront::123456789012:key-value-store/dev',
  edge_arns: '{"key_value_store":"arn:a","cache_policy":"arn:b","origin_access_control":"arn:c"}',
  url: SERVICE_URL,
  function_url: `${SERVICE_URL}/`
}

function refuse(message: string): never {
  process.stderr.write(`${program}: ${message}\n`)
  process.exit(1)
}

function need(isThere: boolean, message: string): void {
  if (!isThere) refuse(message)
}

function valueOf(flag: string): string {
  return args[args.indexOf(flag) + 1] ?? ''
}

function terraform(): string {
  const [chdir = '', command = '', ...rest] = args
  const folder = /^-chdir=(.+)$/.exec(chdir)?.[1] ?? refuse(`want -chdir first, not ${chdir}`)
  const sources = globSync(join(folder, '*.tf')).map((file) => readFileSync(file, 'utf8'))
  const source = sources.join('\n')
  need(sources.length > 0, `no stack in ${folder}`)
  if (command === 'output') {
    const name = rest.at(-1) ?? ''
    need(made.applied.includes(folder), `${folder} is not applied yet`)
    need(new RegExp(`^output "${name}"`, 'm').test(source), `${folder} has no output ${name}`)
    return OUTPUTS[name] ?? refuse(`no value for output ${name}`)
  }
  for (const argument of rest) {
    const file = /^-(?:var-file|backend-config)=([^=]+)$/.exec(argument)?.[1]
    need(file === undefined || existsSync(join(folder, file)), `there is no file ${file} in ${folder}`)
    const target = /^-target=(\w+)\.(\w+)$/.exec(argument)
    need(target === null || source.includes(`resource "${target[1]}" "${target[2]}"`), `${folder} has no ${argument}`)
  }
  const variables = rest.flatMap((argument, index) =>
    argument === '-var' ? [rest[index + 1]?.split('=')[0] ?? ''] : []
  )
  for (const name of variables) need(source.includes(`variable "${name}" {`), `${folder} has no variable ${name}`)
  if (command === 'apply') apply(folder, source, rest, variables)
  else need(command === 'init', `unknown command ${command}`)
  return ''
}

/** A variable without a default must come from somewhere. */
function apply(folder: string, source: string, rest: readonly string[], variables: readonly string[]): void {
  const files = rest.flatMap((argument) =>
    argument.startsWith('-var-file=') ? [argument.slice('-var-file='.length)] : []
  )
  const given = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  for (const [block, name = ''] of source.matchAll(/^variable "(\w+)" \{.*?^\}/gms)) {
    const isGiven =
      variables.includes(name) || `TF_VAR_${name}` in process.env || new RegExp(`^${name}\\s*=`, 'm').test(given)
    need(isGiven || /^ {2}default\s*=/m.test(block), `${folder} needs the variable ${name}`)
  }
  if (rest.some((argument) => argument.startsWith('-target=aws_secretsmanager_secret'))) {
    made.secrets.push('API_SECRET_KEY', 'JWT_SECRET_KEY', 'WEBHOOK_SECRET')
    return
  }
  need(
    folder !== 'terraform' || made.files.includes('secret API_SECRET_KEY'),
    'instances do not start without their secrets'
  )
  // An instance reads its keys as it starts.
  need(!variables.includes('api_keys') || made.files.includes('secret API_KEYS'), 'the keys have no value yet')
  if (folder === 'terraform') made.secrets.push('API_KEYS')
  made.applied.push(folder)
}

function docker(): string {
  if (args[0] === 'login') {
    need(
      spawnSync('cat', { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' }).stdout.trim() === 'password' &&
        args.at(-1) === REGISTRY,
      'unauthorized'
    )
    return 'Login Succeeded'
  }
  if (args[0] === 'push') {
    need(made.files.includes(`image ${args[1]}`), `there is no image ${args[1]}`)
    made.images.push(args[1]?.split(':').at(-1) ?? '')
    return ''
  }
  need(args[0] === 'build', `unknown command ${args[0]}`)
  need(
    readFileSync('Dockerfile', 'utf8').includes(` AS ${valueOf('--target')}\n`),
    `the Dockerfile has no ${valueOf('--target')}`
  )
  need(/^BASE_IMAGE=\S+@sha256:[0-9a-f]{64}$/.test(valueOf('--build-arg')), 'want a base by digest')
  made.files.push(`image ${valueOf('--tag')}`)
  return ''
}

function aws(): string {
  switch (`${args[0]} ${args[1]}`) {
    case 'ecr get-login-password':
      return 'password'
    case 'ecr describe-images': {
      const tag = valueOf('--image-ids').replace('imageTag=', '')
      need(made.images.includes(tag), `ImageNotFoundException: ${tag}`)
      return DIGEST
    }
    case 's3 cp':
      need(existsSync(args[2] ?? ''), `there is no ${args[2]}`)
      made.files.push(args[3] ?? '')
      return ''
    case 'elasticbeanstalk create-application-version': {
      const [, bucket, key] = /^S3Bucket=([^,]+),S3Key=(.+)$/.exec(valueOf('--source-bundle')) ?? []
      need(made.files.includes(`s3://${bucket}/${key}`), `there is no s3://${bucket}/${key}`)
      return ''
    }
    case 'secretsmanager put-secret-value': {
      const [, name = ''] = /^sbert-service-dev\/(\w+)$/.exec(valueOf('--secret-id')) ?? []
      need(made.secrets.includes(name), `ResourceNotFoundException: ${valueOf('--secret-id')}`)
      const value = valueOf('--secret-string')
      need(
        (value.startsWith('file://') ? readFileSync(value.slice(7), 'utf8') : value).length >= 30,
        'a secret without a value'
      )
      made.files.push(`secret ${name}`)
      return ''
    }
    case 'elasticbeanstalk restart-app-server':
      need(valueOf('--environment-name') === 'sbert-service-dev', 'No Environment found')
      return ''
    default: {
      const { stdout, stderr, status } = spawnSync(process.execPath, [STAND_IN_AWS, ...args], { encoding: 'utf8' })
      return status === 0 ? stdout : refuse(stderr)
    }
  }
}

const programs = new Map([
  ['terraform', terraform],
  ['docker', docker],
  ['aws', aws],
  ['gh', () => '']
])
const answer = programs.get(program)?.() ?? refuse('unknown program')
process.stdout.write(answer === '' ? '' : `${answer}${program === 'terraform' ? '' : '\n'}`)
// Two programs of a pipe run at once: what changes nothing writes nothing.
if (JSON.stringify(made) !== before) writeFileSync(STAND_IN_STATE, JSON.stringify(made))
