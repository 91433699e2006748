/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'

const Report = Type.Object({
  vulnerabilities: Type.Record(
    Type.String(),
    Type.Object({
      severity: Type.String(),
      via: Type.Array(
        Type.Union([Type.String(), Type.Object({ title: Type.String(), url: Type.Optional(Type.String()) })])
      )
    })
  ),
  metadata: Type.Object({ dependencies: Type.Object({ total: Type.Integer({ minimum: 1 }) }) })
})
const report = Compile(Report)
const Failure = Compile(Type.Object({ message: Type.String() }))

/** A package with known vulnerabilities, and what they are called. */
export interface Finding {
  readonly name: string
  readonly severity: string
  readonly titles: readonly string[]
}

/**
 * Reads what `npm audit --json` says.
 * @throws {Error} when nothing was audited: no network, a registry without audits, no packages
 */
export function assertAuditable(text: string): Static<typeof Report> {
  const read: unknown = JSON.parse(text)
  if (report.Check(read)) return read
  throw new Error(Failure.Check(read) ? read.message : 'npm audit has written no report')
}

/** Its findings, the worst first as npm has them. A package that is affected by another names that one. */
export function findingsOf({ vulnerabilities }: Static<typeof Report>): Finding[] {
  return Object.entries(vulnerabilities).map(([name, { severity, via }]) => ({
    name,
    severity,
    titles: via.map((cause) =>
      typeof cause === 'string' ? `by ${cause}` : [cause.title, cause.url ?? ''].join(' ').trim()
    )
  }))
}
