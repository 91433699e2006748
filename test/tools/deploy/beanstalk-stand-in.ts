/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * The AWS CLI in small: what `npm run swap` asks of Elastic Beanstalk, on a state in the file AWS_STAND_IN. A change takes two looks to be done.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'

/** What the account holds. */
export interface BeanstalkState {
  readonly calls: string[]
  templates: string[]
  environments: { id: string; name: string; label: string; cname: string; looksLeft: number; tags: string[] }[]
}

const { AWS_STAND_IN: file, NEXT_CNAME: nextCname = '' } = process.env
if (file !== undefined) {
  const state: BeanstalkState = JSON.parse(readFileSync(file, 'utf8'))
  const [, command = '', ...rest] = process.argv.slice(2)
  state.calls.push(command)
  const given = (name: string): string =>
    rest.includes(`--${name}`) ? (rest[rest.indexOf(`--${name}`) + 1] ?? '') : ''
  try {
    const answer = answerTo(state, command, given)
    process.stdout.write(answer === undefined ? '' : JSON.stringify(answer))
  } catch (error) {
    process.stderr.write(`An error occurred (${error instanceof Error ? error.message : ''})\n`)
    process.exitCode = 254
  }
  writeFileSync(file, JSON.stringify(state))
}

function answerTo(state: BeanstalkState, command: string, given: (name: string) => string): unknown {
  const byId = (id: string) => state.environments.find((one) => one.id === id)
  switch (command) {
    case 'describe-environments': {
      const named = state.environments.filter(({ name }) => ['', name].includes(given('environment-names')))
      return {
        Environments: named.map((one) => {
          one.looksLeft = Math.max(0, one.looksLeft - 1)
          return {
            EnvironmentId: one.id,
            EnvironmentName: one.name,
            EnvironmentArn: `arn:${one.name}`,
            VersionLabel: one.label,
            CNAME: one.cname,
            Status: one.looksLeft === 0 ? 'Ready' : 'Updating',
            Health: one.looksLeft === 0 ? 'Green' : 'Grey'
          }
        })
      }
    }
    case 'list-tags-for-resource': {
      const tags = state.environments.find(({ name }) => given('resource-arn') === `arn:${name}`)?.tags ?? []
      return { ResourceTags: tags.map((Value) => ({ Key: 'ManagedBy', Value })) }
    }
    case 'create-configuration-template':
      if (byId(given('environment-id')) === undefined) throw new Error('InvalidParameterValue: No Environment found')
      if (state.templates.includes(given('template-name')))
        throw new Error('InvalidParameterValue: Configuration Template new already exists.')
      state.templates.push(given('template-name'))
      return {}
    case 'create-environment':
      if (!state.templates.includes(given('template-name'))) throw new Error('No Configuration Template')
      state.environments.push({
        id: `e-${state.environments.length + 1}`,
        name: given('environment-name'),
        label: given('version-label'),
        cname: nextCname,
        looksLeft: 3,
        tags: []
      })
      return {}
    case 'delete-configuration-template':
      state.templates = state.templates.filter((name) => name !== given('template-name'))
      return undefined
    case 'swap-environment-cnames': {
      const [one, other] = [byId(given('source-environment-id')), byId(given('destination-environment-id'))]
      if (one === undefined || other === undefined || one.looksLeft + other.looksLeft > 0)
        throw new Error('InvalidParameterValue: Environment is in an invalid state')
      ;[one.cname, other.cname] = [other.cname, one.cname]
      one.looksLeft = 2
      other.looksLeft = 2
      return undefined
    }
    case 'terminate-environment':
      state.environments = state.environments.filter(({ id }) => id !== given('environment-id'))
      return {}
    default:
      throw new Error(`Unknown command: ${command}`)
  }
}
