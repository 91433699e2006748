/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb'

/** One part of a transaction. */
export type WriteItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]

/** A conditional change of an item. */
export interface ItemUpdate {
  readonly pk: string
  /** `undefined` removes an attribute. */
  readonly set: Readonly<Record<string, unknown>>
  readonly add?: Readonly<Record<string, number>>
  /** Required values of attributes; `undefined` requires that the attribute does not exist. */
  readonly only: Readonly<Record<string, unknown>>
}

/** Makes the input of an UpdateItem. Every name is written as a placeholder, since many are reserved (`status`, `ttl`, …). */
export function updateOf(TableName: string, { pk, set, add = {}, only }: ItemUpdate) {
  const setNames = Object.keys(set).filter((name) => set[name] !== undefined)
  const removedNames = Object.keys(set).filter((name) => set[name] === undefined)
  const addNames = Object.keys(add)
  const onlyNames = Object.keys(only)
  const clauses = [
    clause('SET', setNames, (name) => `#${name} = :${name}`),
    clause('REMOVE', removedNames, (name) => `#${name}`),
    clause('ADD', addNames, (name) => `#${name} :${name}Added`)
  ]
  const conditions = onlyNames.map((name) =>
    only[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :${name}Before`
  )
  const values: Record<string, unknown> = {}
  for (const name of setNames) values[`:${name}`] = set[name]
  for (const name of addNames) values[`:${name}Added`] = add[name]
  for (const name of onlyNames) if (only[name] !== undefined) values[`:${name}Before`] = only[name]
  const names = new Set([...Object.keys(set), ...addNames, ...onlyNames])
  return {
    TableName,
    Key: { pk },
    ConditionExpression: conditions.join(' AND '),
    UpdateExpression: clauses.filter((text) => text !== '').join(' '),
    ExpressionAttributeNames: Object.fromEntries([...names].map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: values
  }
}

function clause(verb: string, names: readonly string[], text: (name: string) => string): string {
  return names.length === 0 ? '' : `${verb} ${names.map((name) => text(name)).join(', ')}`
}
