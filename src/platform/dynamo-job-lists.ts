/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { QueryCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

import type { StoredRecord } from '../storage/stored-record.ts'
import { reach } from './aws-errors.ts'
import type { ListName } from './dynamo-job-item.ts'
import resources from './job-resources.json' with { type: 'json' }

/** Key after which a query of a list continues. */
export type ListPosition = Record<string, unknown> | undefined

/** Which part of a list to read. */
export interface ListQuery {
  /** @default the beginning */
  readonly last?: ListPosition
  readonly limit?: number
  /** @default false */
  readonly isLatestFirst?: boolean
  /** Bounds, included, of the time since when an item is in the list. */
  readonly fromMs?: number
  readonly toMs?: number
}

/** Reads lists of jobs from the table's index, which lags some milliseconds behind the table. */
export class DynamoJobLists {
  readonly #database: DynamoDBDocumentClient
  readonly #table: string

  constructor(database: DynamoDBDocumentClient, table: string) {
    this.#database = database
    this.#table = table
  }

  async page(list: ListName, query: ListQuery = {}): Promise<{ items: StoredRecord[]; last: ListPosition }> {
    const command = new QueryCommand({
      TableName: this.#table,
      IndexName: resources.table.index.name,
      KeyConditionExpression: 'queueState = :list AND stateAt BETWEEN :from AND :to',
      ExpressionAttributeValues: {
        ':list': list,
        ':from': query.fromMs ?? 0,
        ':to': query.toMs ?? Number.MAX_SAFE_INTEGER
      },
      ScanIndexForward: query.isLatestFirst !== true,
      ...(query.limit !== undefined && { Limit: query.limit }),
      ...(query.last !== undefined && { ExclusiveStartKey: query.last })
    })
    const { Items = [], LastEvaluatedKey } = await reach('list jobs', () => this.#database.send(command))
    return { items: Items, last: LastEvaluatedKey }
  }

  /** Every item of a list, oldest first. */
  async all(list: ListName, bounds: Pick<ListQuery, 'fromMs' | 'toMs'> = {}): Promise<StoredRecord[]> {
    const items: StoredRecord[] = []
    let last: ListPosition
    do {
      const page = await this.page(list, { ...bounds, last })
      items.push(...page.items)
      last = page.last
    } while (last !== undefined)
    return items
  }
}
