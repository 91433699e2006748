/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { Setting } from './setting.ts'
import { AWS_SETTINGS } from './settings/aws.ts'
import { ENCODING_SETTINGS } from './settings/encoding.ts'
import { FOLLOWUP_SETTINGS } from './settings/followups.ts'
import { JOB_SETTINGS } from './settings/jobs.ts'
import { PROCESS_SETTINGS } from './settings/lifetime.ts'
import { LISTENING_SETTINGS } from './settings/listening.ts'
import { MENTOR_SETTINGS } from './settings/mentors.ts'
import { MODEL_SETTINGS } from './settings/models.ts'
import { OBSERVING_SETTINGS } from './settings/observing.ts'
import { PLATFORM_SETTINGS } from './settings/platform.ts'
import { REQUEST_SETTINGS } from './settings/requests.ts'
import { TRACING_SETTINGS } from './settings/tracing.ts'

/**
 * All settings of the service, with one file for each area. Each is an environment variable; an empty one counts as not set.
 * docs/configuration.md shows this table in the same order, which a test checks.
 */
export const SETTINGS = {
  ...LISTENING_SETTINGS,
  ...ENCODING_SETTINGS,
  ...OBSERVING_SETTINGS,
  ...TRACING_SETTINGS,
  ...REQUEST_SETTINGS,
  ...AWS_SETTINGS,
  ...JOB_SETTINGS,
  ...MENTOR_SETTINGS,
  ...MODEL_SETTINGS,
  ...PLATFORM_SETTINGS,
  ...FOLLOWUP_SETTINGS,
  ...PROCESS_SETTINGS
} as const

/** Names of the settings. */
export type SettingName = keyof typeof SETTINGS

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Name>

/** Values of all settings, checked: `MAX_SENTENCES` is `maxSentences`. */
export type Config = {
  readonly [Name in SettingName as CamelCase<Name>]: (typeof SETTINGS)[Name] extends Setting<infer Value>
    ? Value
    : never
}
