/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A statement of a policy, in the words of Terraform's aws_iam_policy_document. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  readonly actions?: readonly string[]
  readonly resources?: readonly string[]
  readonly notResources?: readonly string[]
  readonly conditions?: readonly Condition[]
}

/** All of a statement's conditions have to hold; of a condition's values one. */
export interface Condition {
  readonly test: string
  readonly variable: string
  readonly values: readonly string[]
}

/** What somebody tries. */
export interface Attempt {
  readonly action: string
  readonly resource: string
  /** Condition keys that AWS would know, such as aws:ResourceTag/Stage. One that is absent has no value. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>
}

/**
 * Whether policies allow an attempt, by IAM's logic of one account: a Deny wins, then an Allow of policies and, where there is one,
 * of the boundary. Policies of resources and of organisations are not known here.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @throws {RangeError} at a condition's test that it does not know
 */
export function isAllowed(policies: readonly Statement[], attempt: Attempt, boundary?: readonly Statement[]): boolean {
  const decisions = [policies, ...(boundary === undefined ? [] : [boundary])].map((statements) => {
    const effects = new Set(statements.filter((statement) => covers(statement, attempt)).map(({ effect }) => effect))
    return effects.has('Allow') && !effects.has('Deny')
  })
  return decisions.every(Boolean)
}

function covers(statement: Statement, attempt: Attempt): boolean {
  const { actions = [], resources = [], notResources = [], conditions = [] } = statement
  if (!actions.some((pattern) => matches(pattern.toLowerCase(), attempt.action.toLowerCase()))) return false
  const isNamed =
    notResources.length > 0
      ? !notResources.some((pattern) => matches(pattern, attempt.resource))
      : resources.some((pattern) => matches(pattern, attempt.resource))
  return isNamed && conditions.every((condition) => holds(condition, attempt.context ?? {}))
}

function holds({ test, variable, values }: Condition, context: NonNullable<Attempt['context']>): boolean {
  const known = Object.entries(context).find(([name]) => name.toLowerCase() === variable.toLowerCase())?.[1]
  const given = known === undefined ? [] : [known].flat()
  const [, quantifier, operator = '', ifExists] = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/.exec(test) ?? []
  const compare = COMPARISONS.get(operator)
  if (compare === undefined) throw new RangeError(`Cannot simulate the condition: unknown test "${test}"`)
  if (given.length === 0) return ifExists !== undefined || quantifier === 'ForAllValues'
  const isOne = (value: string) => values.some((wanted) => compare(wanted, value))
  return quantifier === 'ForAnyValue' ? given.some(isOne) : given.every(isOne)
}

const COMPARISONS = new Map<string, (wanted: string, value: string) => boolean>([
  ['StringEquals', (wanted, value) => wanted === value],
  ['StringLike', matches],
  ['ArnEquals', matches],
  ['ArnLike', matches]
])

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}
