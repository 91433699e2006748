/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DeleteCommand, GetCommand, PutCommand, QueryCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

import type { StoredRecord } from '../storage/stored-record.ts'
import { reach } from './aws-errors.ts'
import resources from './job-resources.json' with { type: 'json' }

/** Condition of a write on the existing item. */
export interface WriteCondition {
  readonly expression: string
  readonly values?: Readonly<Record<string, unknown>>
}

/** Whether a write happened, and the item before it. */
export type Written =
  | { readonly isWritten: true; readonly before: StoredRecord | undefined }
  | { readonly isWritten: false }

/**
 * Reads and writes items, other than jobs, of the table that they share with the jobs. An item with the attributes
 * `queueState` (a list's name) and `stateAt` (a number to sort by) is in that list, with the attributes that
 * `job-resources.json` projects, some milliseconds after it was written.
 */
export class DynamoTable {
  readonly #client: DynamoDBDocumentClient
  readonly #name: string

  constructor(client: DynamoDBDocumentClient, name: string) {
    this.#client = client
    this.#name = name
  }

  /** Reads an item, strongly consistent. */
  async get(pk: string): Promise<StoredRecord | undefined> {
    const command = new GetCommand({ TableName: this.#name, Key: { pk }, ConsistentRead: true })
    const { Item } = await reach('read an item', () => this.#client.send(command))
    return Item
  }

  async put(item: { readonly pk: string } & StoredRecord, condition?: WriteCondition): Promise<Written> {
    const command = new PutCommand({
      TableName: this.#name,
      Item: item,
      ReturnValues: 'ALL_OLD',
      ...(condition !== undefined && {
        ConditionExpression: condition.expression,
        ...(condition.values !== undefined && { ExpressionAttributeValues: condition.values })
      })
    })
    return reach('write an item', async () => {
      try {
        const { Attributes } = await this.#client.send(command)
        return { isWritten: true, before: Attributes }
      } catch (error) {
        if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return { isWritten: false }
        throw error
      }
    })
  }

  /** @returns the deleted item */
  async delete(pk: string): Promise<StoredRecord | undefined> {
    const command = new DeleteCommand({ TableName: this.#name, Key: { pk }, ReturnValues: 'ALL_OLD' })
    const { Attributes } = await reach('delete an item', () => this.#client.send(command))
    return Attributes
  }

  /** All items of a list, sorted by `stateAt`. */
  async list(list: string): Promise<StoredRecord[]> {
    const items: StoredRecord[] = []
    for await (const page of this.pages(list)) items.push(...page)
    return items
  }

  /** The items of a list, in pages of up to a megabyte. */
  async *pages(
    list: string,
    { latestFirst = false, limit }: { readonly latestFirst?: boolean; readonly limit?: number } = {}
  ): AsyncGenerator<readonly StoredRecord[]> {
    let last: Record<string, unknown> | undefined
    do {
      const command = new QueryCommand({
        TableName: this.#name,
        IndexName: resources.table.index.name,
        KeyConditionExpression: 'queueState = :list',
        ExpressionAttributeValues: { ':list': list },
        ScanIndexForward: !latestFirst,
        ...(limit !== undefined && { Limit: limit }),
        ...(last !== undefined && { ExclusiveStartKey: last })
      })
      const page = await reach('list items', () => this.#client.send(command))
      yield page.Items ?? []
      last = page.LastEvaluatedKey
    } while (last !== undefined)
  }
}
