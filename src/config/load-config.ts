/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { SETTINGS, type Config } from './settings.ts'
import { tracingProblems } from './traces.ts'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Thrown for invalid settings; lists all problems at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** One line for each problem. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`Cannot start: ${problems.length} wrong setting(s)\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/**
 * Reads and checks the settings from environment variables.
 * @throws {ConfigError} that lists all problems, without quoting given values, which may be secrets
 */
export function loadConfig(env: Environment): Config {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const given = env[name]?.trim()
    try {
      values[camelCase(name)] = given === undefined || given === '' ? setting.default : setting.parse(given)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      problems.push(`${name}: ${error.message}`)
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- SETTINGS gives each name its type, which a loop over it loses
  const config = values as unknown as Config
  if (
    config.host !== undefined &&
    !isLoopback(config.host) &&
    isUnset(env['API_SECRET_KEY']) &&
    isUnset(env['API_KEYS_FILE']) &&
    isUnset(env['JWT_SECRET_KEY'])
  ) {
    problems.push('HOST: not a loopback address, so API_SECRET_KEY, API_KEYS_FILE or JWT_SECRET_KEY must be set')
  }
  if (config.backend === 'aws') {
    for (const name of ['JOBS_QUEUE_URL', 'JOBS_TABLE', 'MODELS_BUCKET'] as const) {
      if (isUnset(env[name])) problems.push(`${name}: must be set with BACKEND=aws`)
    }
  }
  if (config.mentorSource === 'graphql' && isUnset(env['GRAPHQL_ENDPOINT'])) {
    problems.push('GRAPHQL_ENDPOINT: must be set with MENTOR_SOURCE=graphql')
  }
  if (isUnset(env['SECRET_HEADER_NAME']) !== isUnset(env['SECRET_HEADER_VALUE'])) {
    problems.push('SECRET_HEADER_NAME, SECRET_HEADER_VALUE: one is set without the other')
  }
  if (problems.length === 0) problems.push(...tracingProblems(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

/** The settings in a form that may be logged: of a secret, only whether it is set. */
export function redactConfig(config: Config): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...config }
  for (const [name, setting] of Object.entries(SETTINGS)) {
    if (!setting.isSecret) continue
    const value = shown[camelCase(name)]
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0)
    shown[camelCase(name)] = isSet ? '[redacted]' : undefined
  }
  return shown
}

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Converts `MAX_SENTENCES` to `maxSentences`. */
function camelCase(name: string): string {
  return name.toLowerCase().replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}

function isUnset(value: string | undefined): boolean {
  return value === undefined || value.trim() === ''
}
