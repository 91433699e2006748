/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { openMentorApp, type TrainingStatus } from './mentor-app.ts'

/** Two sensors that tell a running machine from one that stands. */
export const SENSORS = [
  'sensor_1,sensor_2,label',
  ...Array.from({ length: 40 }, (_, i) => `${(i % 2) * 2 + (i % 7) / 10},${-(i % 2) * 2 + (i % 5) / 10},${i % 2}`)
].join('\n')

/** Reply to a training that was asked for. */
export interface TrainReply {
  readonly data: {
    readonly id: string
    readonly statusUrl: string
    readonly features: readonly { readonly name: string; readonly type: string }[]
    readonly label: { readonly name: string; readonly type: string }
    readonly rowCount: number
    readonly classCount: number
    readonly dropped?: { readonly rows: number; readonly columns: readonly string[] }
    readonly lint: readonly object[]
  }
}

/** A server with classifiers; jobs are done as they come in. */
export async function openClassifierApp(t: TestContext, env: Record<string, string> = {}) {
  const app = await openMentorApp(t, env)
  const post = (url: string, payload: string | object, headers: Record<string, string> = {}) => {
    const contentType = typeof payload === 'string' && !headers['content-type'] ? { 'content-type': 'text/csv' } : {}
    return app.ask({ method: 'POST', url: `/v1/classifiers/${url}`, payload, headers: { ...contentType, ...headers } })
  }
  return {
    ...app,
    post,
    trainTable: async (url: string, table: string | object): Promise<{ reply: TrainReply; status: TrainingStatus }> => {
      app.work()
      const answer = await post(url, table)
      assert.equal(answer.statusCode, 200, answer.body)
      const reply: TrainReply = answer.json()
      await app.backend.waitUntilEnded(reply.data.id, 30_000)
      const status: { data: TrainingStatus } = (await app.ask({ url: reply.data.statusUrl })).json()
      return { reply, status: status.data }
    }
  }
}
