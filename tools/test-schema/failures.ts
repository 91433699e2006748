/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** A failed check of Schemathesis. */
export interface Failure {
  /** Such as `GET /v1/encode`. */
  readonly operation: string
  readonly check: string
  /** What the check says. */
  readonly message: string
  /** Status and body of the reply. */
  readonly reply: string
  readonly phase: string
  /** The request, as far as it can be told in a line. */
  readonly request: string
}

/** Result of a run. */
export interface Found {
  readonly failures: readonly Failure[]
  /** Errors that prevented requests. */
  readonly errors: readonly string[]
  /** Operations that were tested, by phase. */
  readonly tested: ReadonlyMap<string, ReadonlySet<string>>
  readonly caseCount: number
}

interface Scenario {
  readonly phase: string
  readonly recorder: {
    readonly label: string
    readonly cases?: Readonly<Record<string, { readonly value: Case }>>
    readonly checks?: Readonly<Record<string, readonly Check[]>>
    readonly interactions?: Readonly<Record<string, Interaction>>
  }
}

interface Case {
  readonly method: string
  readonly path: string
}

interface Check {
  readonly name: string
  readonly status: string
  readonly failure_info?: { readonly failure: { readonly title?: string; readonly message?: string } } | null
}

interface Interaction {
  readonly request?: { readonly uri?: string; readonly method?: string; readonly body?: Encoded | null }
  readonly response?: { readonly status_code: number; readonly content?: Encoded | null } | null
}

interface Encoded {
  readonly $base64?: string
}

interface ReportedEvent {
  readonly ScenarioFinished?: Scenario
  readonly NonFatalError?: {
    readonly label?: string
    readonly phase?: string
    readonly value: { readonly message?: string }
  }
  readonly FatalError?: unknown
}

const REQUEST_CHARACTERS = 400

/** Reads a report of events, a line each, as Schemathesis writes it while it runs. */
export async function readReport(path: string): Promise<Found> {
  const failures: Failure[] = []
  const errors: string[] = []
  const tested = new Map<string, Set<string>>()
  let caseCount = 0
  for await (const line of createInterface(createReadStream(path))) {
    const event: ReportedEvent = JSON.parse(line)
    if (event.FatalError !== undefined) errors.push(line)
    const { NonFatalError: error, ScenarioFinished: scenario } = event
    if (error !== undefined) errors.push(`${error.label ?? ''} (${error.phase ?? ''}): ${error.value.message ?? ''}`)
    if (scenario === undefined) continue
    const { phase, recorder } = scenario
    const ofPhase = tested.get(phase) ?? new Set()
    tested.set(phase, ofPhase)
    for (const { value } of Object.values(recorder.cases ?? {})) ofPhase.add(operationOf(value))
    caseCount += Object.keys(recorder.cases ?? {}).length
    failures.push(...failuresOf(scenario))
  }
  return { failures, errors, tested, caseCount }
}

function failuresOf({ phase, recorder }: Scenario): Failure[] {
  return Object.entries(recorder.checks ?? {}).flatMap(([id, checks]) =>
    checks
      .filter(({ status }) => status === 'failure')
      .map(({ name, failure_info: info }) => {
        const interaction = recorder.interactions?.[id]
        const value = recorder.cases?.[id]?.value
        return {
          operation: value === undefined ? recorder.label : operationOf(value),
          check: name,
          message: [info?.failure.title, info?.failure.message].filter(Boolean).join(': ').replaceAll(/\s+/g, ' '),
          reply: `${interaction?.response?.status_code ?? 'none'} ${decoded(interaction?.response?.content)}`,
          phase,
          request: requestOf(interaction)
        }
      })
  )
}

function operationOf({ method, path }: Case): string {
  return `${method} ${path}`
}

function requestOf(interaction: Interaction | undefined): string {
  const { method = '', uri = '', body } = interaction?.request ?? {}
  return `${method} ${uri} ${decoded(body)}`.slice(0, REQUEST_CHARACTERS)
}

function decoded(content: Encoded | null | undefined): string {
  return Buffer.from(content?.$base64 ?? '', 'base64').toString()
}
